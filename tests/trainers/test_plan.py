"""The planner against what the compiler says of the real update, and what it refuses."""

import dataclasses

import jax
import jax.numpy as jnp
import pytest

import openworld
from openworld.core import tuning
from openworld_trainers.errors import TrainerError
from openworld_trainers.planner import device_memory as memory
from openworld_trainers.planner import show as planning
from openworld_trainers.planner.liveness import size_of
from openworld_trainers.planner.plan import PlanError, check_fits, make_plan, share_of
from openworld_trainers.ppo.config import Env, Learning, Network, Rollout
from openworld_trainers.ppo.learner import init_learner, make_update
from openworld_trainers.ppo.presets import preset
from tests.trainers import probes
from tests.trainers.helpers import small

CONFIGS = {
    "a wide network": small(
        network=Network(width=256, depth=3),
        rollout=Rollout(worlds=256, steps=32),
        learning=Learning(minibatch_size=4096),
    ),
    "many transitions": small(
        network=Network(width=64, depth=2),
        rollout=Rollout(worlds=4096, steps=32),
        learning=Learning(minibatch_size=1024, epochs=1),
    ),
    "a memory and an average": small(
        network=Network(width=128, depth=1, memory="gru"),
        rollout=Rollout(worlds=512, steps=8),
        learning=Learning(minibatch_size=1024, ewma=0.9),
    ),
}
#: A plan may exceed what the compiler takes by this factor, and may not fall short of it.
FACTOR = 1.6


def measured(env, config):
    """The bytes that the compiled update takes: what it is given and what comes and goes."""
    shapes = jax.eval_shape(lambda: init_learner(env, config))
    update = jax.jit(make_update(env, config), donate_argnums=0)
    told = update.lower(shapes, jax.ShapeDtypeStruct((), jnp.float32)).compile().memory_analysis()
    given = told.argument_size_in_bytes + told.output_size_in_bytes - told.alias_size_in_bytes
    return given + told.temp_size_in_bytes


@pytest.mark.parametrize("name", CONFIGS)
def test_a_plan_is_what_the_compiler_takes_and_a_little_more(name):
    config = CONFIGS[name]
    taken = measured(probes.CUT, config)
    assert taken <= make_plan(config, probes.CUT).bytes <= FACTOR * taken


@pytest.mark.slow
def test_so_it_is_in_a_real_world():
    config = small(
        network=Network(),
        rollout=Rollout(worlds=1024, steps=16),
        learning=Learning(minibatch_size=4096),
    )
    env = openworld.make("OpenWorld-Classic-v0")
    taken = measured(env, config)
    assert taken <= make_plan(config, env).bytes <= FACTOR * taken


def test_a_plan_is_the_sum_of_its_parts():
    config = CONFIGS["a memory and an average"]
    plan, shapes = make_plan(config, probes.CUT), jax.eval_shape(lambda: init_learner(probes.CUT, config))
    parts = {part.name: part.bytes for part in (*plan.held, *plan.rollout, *plan.phases)}
    assert sum(part.bytes for part in plan.held) == size_of((shapes.train_state, shapes.rollout_state))
    assert parts["parameters"] == size_of(shapes.network) == parts["proximal policy"] - 4
    assert parts["optimiser"] > 2 * parts["parameters"]
    assert parts["worlds"] == size_of(shapes.rollout_state.state)
    assert parts["memory"] == 4 * 512 * 128
    assert parts["rollout: observations"] == 4 * 512 * 8  # one float each
    assert plan.checkpoint == size_of((shapes.train_state, shapes.rollout_state))
    phase = max(part.bytes for part in plan.phases)
    assert plan.bytes == sum(part.bytes for part in (*plan.held, *plan.rollout)) + phase + int(0.1 * phase)


def test_devices_share_worlds_and_all_hold_the_network():
    config = CONFIGS["many transitions"]
    one, four = make_plan(config, probes.CUT), make_plan(config, probes.CUT, 4)
    parts = [{part.name: part.bytes for part in (*plan.held, *plan.rollout)} for plan in (one, four)]
    for name in ("worlds", "observations", "rollout: observations", "rollout: the rest"):
        assert parts[0][name] == pytest.approx(4 * parts[1][name], rel=0.01)
    assert parts[0]["parameters"] == parts[1]["parameters"]
    assert one.checkpoint == four.checkpoint
    share = share_of(config, 4)
    assert (share.rollout.worlds, share.learning.minibatch_size) == (1024, 256)
    for count, best in ((3, 2), (0, 1), (128, 64)):
        with pytest.raises(PlanError, match=f"cannot share 64 lanes of worlds evenly; {best} can"):
            share_of(config, count)


def refusal(config, size, devices=1):
    with pytest.raises(PlanError) as refused:
        check_fits(config, probes.CUT, size, devices)
    message = str(refused.value)
    assert isinstance(refused.value, TrainerError)
    assert "\n" not in message
    return message


def test_what_cannot_fit_is_refused_and_what_would_fit_is_named():
    config = CONFIGS["many transitions"]
    need = make_plan(config, probes.CUT).bytes
    check_fits(config, probes.CUT, need, 1)
    check_fits(config, probes.CUT, None, 1)
    message = refusal(config, need - 1)
    assert f"this run needs {memory.shown_bytes(need)} of each device's memory" in message
    for option, record, field, value in (
        ("--rollout.steps 16", "rollout", "steps", 16),
        ("--rollout.worlds 2048", "rollout", "worlds", 2048),
    ):
        assert option in message
        changed = dataclasses.replace(getattr(config, record), **{field: value})
        check_fits(dataclasses.replace(config, **{record: changed}), probes.CUT, need - 1, 1)
    assert ", or 2 devices (" in message
    check_fits(config, probes.CUT, need - 1, 2)
    assert "no single setting makes it fit" in refusal(config, 10_000)


def test_nothing_is_allotted_to_plan():
    before = len(jax.live_arrays())
    config = dataclasses.replace(CONFIGS["many transitions"], rollout=Rollout(worlds=2**24, steps=32))
    assert "this run needs" in refusal(config, 2**28)
    assert len(jax.live_arrays()) <= before


def test_an_accelerator_plays_many_worlds_in_blocks():
    with tuning.as_if("gpu"):
        many = [make_plan(CONFIGS["many transitions"], probes.CUT)]
        config = dataclasses.replace(CONFIGS["many transitions"], rollout=Rollout(worlds=2**20, steps=4))
        many.append(make_plan(config, probes.CUT))
    assert many[1].platform == "gpu"
    rollout_state = [{part.name: part.bytes for part in plan.phases}["while playing"] for plan in many]
    assert rollout_state[1] < 100 * rollout_state[0]  # of 256 times the worlds


@pytest.mark.slow
def test_a_million_worlds_fit_one_large_accelerator():
    """On paper: as a GPU would run it; nothing is compiled."""
    from openworld_trainers.planner.scaling import configure

    config = configure(2**20).config
    config = dataclasses.replace(config, env=Env(id="OpenWorld-Classic-v0"))
    text, fits = planning.answer(config, memory.parse_bytes("80GiB"))
    assert fits
    assert "1,048,576 worlds x 16 steps on 1 device (gpu)" in text
    assert "room for about " in text


@pytest.mark.parametrize(
    ("text", "count"),
    [("80GiB", 80 * 2**30), ("80 gb", 80 * 10**9), ("1.5Gi", 3 * 2**29), ("512", 512), ("2k", 2000)],
)
def test_sizes_are_read(text, count):
    assert memory.parse_bytes(text) == count


@pytest.mark.parametrize("text", ["", "GiB", "-3GiB", "80 XB", "8i"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="write it as 80GiB"):
        memory.parse_bytes(text)


def test_sizes_are_shown():
    assert [memory.shown_bytes(n) for n in (12, 1536, 80 * 2**30)] == ["12 B", "1.5 KiB", "80 GiB"]


def test_cpu_devices_share_the_machines_memory():
    whole = memory.device_memory(1)
    assert whole is not None
    assert memory.device_memory(4) == whole // 4
    assert memory.machine_memory() == whole


def test_planning_for_another_machine_ends_with_the_plan():
    with tuning.as_if("gpu"):
        assert tuning.here() == tuning.of("tpu") != tuning.of("cpu")
    assert tuning.here() == tuning.of(jax.default_backend()) == tuning.CPU
    with pytest.raises(ValueError, match="platform='abacus' must be one of cpu, gpu, tpu"):
        planning.answer(preset("tiny"), platform="abacus")
    with pytest.raises(ValueError, match="devices=0"):
        planning.answer(preset("tiny"), devices=0)
