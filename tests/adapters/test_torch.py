"""PyTorch's face: JAX's own memory in PyTorch's hands."""

import gc
import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch

import openworld
from openworld.adapters.torch import KNOWN, USUAL, TorchWorlds

WORLDS, LIMIT, ID = 3, 20, "OpenWorld-Classic-v0"
ACTIONS = np.random.default_rng(0).integers(17, size=(LIMIT + 4, WORLDS), dtype=np.int32)


@pytest.fixture(scope="module")
def worlds():
    """One batch for all tests, as compiling takes long; each test resets it."""
    return TorchWorlds(WORLDS, ID, time_limit=LIMIT, info=KNOWN)


@pytest.fixture(scope="module")
def played():
    """What the functional face makes of the same seed and actions, step by step."""
    world = openworld.make(ID, time_limit=LIMIT)
    obs, state = world.reset(5, WORLDS)
    steps = []
    for action in ACTIONS:
        after, state, *ends, info = world.step(state, jnp.asarray(action))
        told = {name: getattr(info, name) for name in (*USUAL, "reward_parts")}
        seeds = np.asarray(state.world.seed).astype(np.int64)
        told |= {"action_mask": world.action_mask(state), "world_seed": seeds}
        steps.append(jax.tree.map(np.asarray, (after, *ends, told)))
    return np.asarray(obs), steps


@pytest.fixture
def seen(worlds, monkeypatch):
    """What goes into the compiled step, and what comes out of it: actions, results."""
    calls, step = [], worlds._programs.step

    def listening(state, action, limit, again):
        out = step(state, action, limit, again)
        calls.append((action, out))
        return out

    monkeypatch.setattr(worlds, "_programs", worlds._programs._replace(step=listening))
    return calls


def tensors(stepped):
    obs, reward, terminated, truncated, info = stepped
    return [obs, reward, terminated, truncated, *info.values()]


def aligned(values, dtype=torch.int32):
    """A tensor whose memory begins on a boundary of 64 bytes, as PyTorch's own allocations do."""
    tensor = torch.empty(len(values), dtype=dtype)
    assert tensor.data_ptr() % 64 == 0
    return tensor.copy_(torch.as_tensor(np.asarray(values)))


def same(stepped, expected):
    obs, reward, terminated, truncated, told = expected
    assert stepped[4].keys() == told.keys()
    for tensor, array in zip(
        tensors(stepped), (obs, reward, terminated, truncated, *(told[k] for k in stepped[4])), strict=True
    ):
        assert np.array_equal(tensor.numpy(), array)
        assert tensor.numpy().dtype == array.dtype


def test_it_plays_as_the_functional_face_does(worlds, played):
    first, steps = played
    obs, _ = worlds.reset(5)
    assert np.array_equal(obs.numpy(), first)
    ended = 0
    for action, expected in zip(ACTIONS, steps, strict=True):
        stepped = worlds.step(torch.from_numpy(action))
        same(stepped, expected)
        ended += int((stepped[2] | stepped[3]).sum())
    assert ended >= WORLDS


def test_nothing_is_copied(worlds, seen):
    worlds.reset(5)
    actions = aligned(ACTIONS[0])
    stepped = worlds.step(actions)
    taken, (out, told, _) = seen[0]
    assert taken.unsafe_buffer_pointer() == actions.data_ptr()
    arrays = [*out, *(told[name] for name in stepped[4])]
    assert [a.unsafe_buffer_pointer() for a in arrays] == [t.data_ptr() for t in tensors(stepped)]
    assert all(tensor.device == worlds.device == torch.device("cpu") for tensor in tensors(stepped))


@pytest.mark.parametrize("kind", ["int64", "uint8", "strided", "unaligned"])
def test_other_actions_are_copied_and_mean_the_same(worlds, seen, played, kind):
    """XLA on CPUs reads only 32-bit integers, laid end to end from a boundary of 64 bytes."""
    worlds.reset(5)
    actions = {
        "int64": lambda a: aligned(a, torch.int64),
        "uint8": lambda a: aligned(a, torch.uint8),
        "strided": lambda a: aligned(np.repeat(a, 2))[::2],
        "unaligned": lambda a: aligned(np.append(0, a))[1:],
    }[kind](ACTIONS[0])
    same(worlds.step(actions), played[1][0])
    assert seen[0][0].unsafe_buffer_pointer() != actions.data_ptr()


def test_no_tensor_shares_memory_with_the_worlds(worlds):
    """A step writes over the worlds' memory, and over no tensor's."""
    obs, info = worlds.reset(5)
    held = [obs, *info.values()]
    for action in ACTIONS[:3]:
        held += tensors(worlds.step(torch.from_numpy(action)))
        mine = {leaf.unsafe_buffer_pointer() for leaf in jax.tree.leaves(worlds._state)}
        assert not mine & {tensor.data_ptr() for tensor in held}


def test_a_tensor_stays_as_it_was_for_as_long_as_it_is_held(played):
    worlds = TorchWorlds(WORLDS, ID, time_limit=LIMIT, info=KNOWN)
    first, steps = played
    kept = [worlds.reset(5)[0]]
    stepped = [worlds.step(torch.from_numpy(action)) for action in ACTIONS]
    worlds.close()
    del worlds
    gc.collect()
    # Whatever memory is free is written over.
    scratch = [jnp.full((WORLDS, 307), 7, jnp.uint8).block_until_ready() for _ in range(200)]
    assert np.array_equal(kept[0].numpy(), first)
    for tensor, expected in zip(stepped, steps, strict=True):
        same(tensor, expected)
    assert len(scratch) == 200


def test_what_was_handed_out_may_be_written_to(worlds, played):
    obs, _ = worlds.reset(5)
    obs.zero_()
    for action, expected in zip(ACTIONS, played[1], strict=True):
        actions = aligned(action)
        stepped = worlds.step(actions)
        actions.fill_(16)
        same(stepped, expected)
        for tensor in tensors(stepped):
            tensor.zero_()


def test_seeds(worlds):
    first, info = worlds.reset(5)
    torch.manual_seed(1)
    drawn = [worlds.reset()[0] for _ in range(2)]
    torch.manual_seed(1)
    assert torch.equal(worlds.reset()[0], drawn[0])
    assert not torch.equal(drawn[0], drawn[1])
    for seed in (info["world_seed"], info["world_seed"].numpy()):
        again, told = worlds.reset(world_seed=seed)
        assert torch.equal(again, first)
        assert torch.equal(told["world_seed"], info["world_seed"])
    held_out = worlds.reset(5, held_out=True)[1]["world_seed"]
    assert (held_out[:, 0] >= 2**31).all()


@pytest.mark.parametrize(
    ("actions", "kind", "told"),
    [
        (torch.zeros(2, dtype=torch.int32), ValueError, "actions must have shape (3,), not (2,)"),
        (torch.zeros(3, 1, dtype=torch.int32), ValueError, "must have shape (3,), not (3, 1)"),
        (torch.zeros(3), ValueError, "actions must be integers from 0 to 16, not torch.float32"),
        (torch.zeros(3, dtype=torch.bool), ValueError, "integers from 0 to 16, not torch.bool"),
        (torch.tensor([0, 17, 0]), ValueError, "action 17 is out of range: they are 0 to 16"),
        (torch.tensor([0, 0, -1]), ValueError, "action -1 is out of range: they are 0 to 16"),
        (torch.zeros(3, dtype=torch.int32, device="meta"), ValueError, "are on meta, the worlds on cpu"),
        (np.zeros(3, np.int32), TypeError, "must be a torch.Tensor of integers, not a ndarray"),
        (None, TypeError, "must be a torch.Tensor of integers, not a NoneType"),
    ],
)
def test_other_actions_are_refused_and_change_nothing(worlds, actions, kind, told):
    worlds.reset(5)
    with pytest.raises(kind, match=re.escape(told)) as refusal:
        worlds.step(actions)
    assert "\n" not in str(refusal.value)
    assert worlds.step(aligned(ACTIONS[0]))[4]["episode_length"].tolist() == [1] * WORLDS


def test_other_settings_are_refused(worlds):
    for wrong in (0, -1, True):
        with pytest.raises(ValueError, match="num_envs must be a whole number of at least 1, not"):
            TorchWorlds(wrong, ID)
    with pytest.raises(ValueError, match=r"info holds final_obs, .*, not 'seed'"):
        TorchWorlds(2, ID, info=("final_obs", "seed"))
    with pytest.raises(ValueError, match="unknown environment id 'OpenWrld-v0'; did you mean"):
        TorchWorlds(2, "OpenWrld-v0")
    wrong = r"TorchWorlds.__init__\(\) got an unexpected keyword argument 'render_mode'; it takes obs.* info"
    with pytest.raises(TypeError, match=wrong):
        TorchWorlds(2, ID, render_mode="ansi")
    with pytest.raises(
        ValueError, match=r"world_seed must be 32-bit words of shape \(3, 2\), not int64\[3\]"
    ):
        worlds.reset(world_seed=[1, 2, 3])


def test_there_is_no_step_before_a_reset_or_after_the_end():
    fresh = TorchWorlds(WORLDS, ID, time_limit=LIMIT)
    with pytest.raises(RuntimeError, match=r"call reset\(\) before step\(\)"):
        fresh.step(torch.zeros(WORLDS, dtype=torch.int32))
    fresh.close()
    for call in (fresh.reset, lambda: fresh.step(torch.zeros(WORLDS, dtype=torch.int32))):
        with pytest.raises(RuntimeError, match="these worlds are closed"):
            call()


def test_several_players_have_an_axis():
    worlds = TorchWorlds(2, "OpenWorld-Coop-v0", num_agents=4)
    assert worlds._shape == (2, 4)
    assert worlds.observation_shape == (
        4,
        *openworld.make("OpenWorld-Coop-v0", num_agents=4).observation_shape[1:],
    )
