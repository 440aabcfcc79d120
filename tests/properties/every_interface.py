"""Goes once through every interface in small, and prints a digest of all that each of them gave, as JSON.

Run as `python -m tests.properties.every_interface`, with JAX's modes set by environment variables, by
`test_strict_modes.py`. A digest covers values, shapes and dtypes.
"""

import dataclasses
import hashlib
import json
import sys
import tempfile
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

import openworld

CLASSIC, WORLDS, STEPS, LIMIT = "OpenWorld-Classic-v0", 2, 4, 3
ACTIONS = np.random.default_rng(0).integers(17, size=(STEPS, WORLDS), dtype=np.int32)
#: Name -> what plays a part and returns a tree of arrays, numbers and names.
PARTS: dict[str, Callable[[], Any]] = {}


def part(function: Callable[[], Any]) -> Callable[[], Any]:
    PARTS[function.__name__] = function
    return function


def digest(tree: Any) -> str:
    """A hash of the values, shapes and dtypes of a tree, and of its own form."""
    whole = hashlib.sha256()
    for path, leaf in jax.tree_util.tree_leaves_with_path(tree):
        kind = type(leaf).__name__ if isinstance(leaf, str | int | float) else "array"
        array = np.asarray(leaf)
        whole.update(f"{jax.tree_util.keystr(path)} {kind} {array.dtype} {array.shape}".encode())
        whole.update(digest(list(array)).encode() if array.dtype == object else array.tobytes())
    return whole.hexdigest()[:16]


@part
def functions() -> Any:
    """The functions themselves: a rollout in one scan, steps with and without auto-reset, masks, a saved state."""
    from openworld.storage.saving import load_state, save_state

    env = openworld.make(CLASSIC)
    obs, state = env.reset(3, WORLDS)

    def policy(number: jax.Array, key: jax.Array, obs: jax.Array) -> tuple[jax.Array, jax.Array]:
        return number + jnp.int32(1), jnp.asarray(ACTIONS)[number]

    (_, seen, after), happened = env.rollout(
        policy, jnp.int32(0), obs, state, num_steps=STEPS, key=jax.random.key(1)
    )
    data = save_state(env, after)
    loaded = load_state(env, data)
    masked = env.action_mask(loaded)
    renewed = env.renew(seen, loaded, jnp.array([True, False]))
    return obs, seen, after, happened, data.hex(), loaded, masked, renewed, env.fallen(after)


@part
def observations() -> Any:
    """Every way to show the same tokens."""
    from openworld.content.rulesets import CLASSIC as RULES
    from openworld.observe.forms import OBSERVATIONS, decoder
    from openworld.observe.text import text

    obs, _ = openworld.make(CLASSIC).reset(3, WORLDS)
    shown = {name: jax.jit(decoder(RULES, name))(obs) for name in OBSERVATIONS}
    return shown, [text(row, RULES) for row in np.asarray(obs)]


@part
def gymnasium() -> Any:
    from openworld.adapters.gymnasium import OpenWorldEnv

    env = OpenWorldEnv(CLASSIC, time_limit=LIMIT)
    seen: list[Any] = [env.reset(seed=0)]
    seen += [env.step(action) for action in ACTIONS[:LIMIT, 0]]
    return seen, bytes(env.get_state()).hex(), env.action_masks()


@part
def vector() -> Any:
    from openworld.adapters.gymnasium import OpenWorldVectorEnv

    envs = OpenWorldVectorEnv(WORLDS, CLASSIC, time_limit=LIMIT)
    seen: list[Any] = [envs.reset(seed=0)]
    seen += [envs.step(actions) for actions in ACTIONS]
    return seen, envs.action_masks(), bytes(envs.get_state()).hex()


@part
def gymnax() -> Any:
    from openworld.adapters import gymnax

    env, params = gymnax.make(CLASSIC, action_mask=True)
    keys = jax.random.split(jax.random.key(0), WORLDS)
    obs, state = jax.vmap(env.reset, (0, None))(keys, params)

    def play(state: Any, actions: jax.Array) -> tuple[Any, Any]:
        obs, state, *rest = jax.vmap(env.step, (0, 0, 0, None))(keys, state, actions, params)
        return state, (obs, rest)

    spaces = env.action_space(params), env.observation_space(params)
    return obs, jax.lax.scan(play, state, jnp.asarray(ACTIONS)), [space.sample(keys[0]) for space in spaces]


@part
def pettingzoo() -> Any:
    from openworld.adapters import pettingzoo

    env = pettingzoo.parallel_env()
    seen: list[Any] = [env.reset(seed=0)]
    seen += [env.step(dict(zip(env.agents, actions.tolist(), strict=True))) for actions in ACTIONS]
    return seen, env.state()


@part
def sb3() -> Any:
    from openworld.adapters.sb3 import make_vec_env

    envs: Any = make_vec_env(CLASSIC, WORLDS, seed=0, time_limit=LIMIT)
    seen: list[Any] = [envs.reset()]
    seen += [envs.step(actions) for actions in ACTIONS]
    for *_, infos in seen[1:]:
        for info in infos:
            info.get("episode", {}).pop("t", None)  # the time it took
    return seen, envs.env_method("action_masks")


@part
def torch() -> Any:
    from torch import from_numpy

    from openworld.adapters.torch import KNOWN, TorchWorlds

    worlds = TorchWorlds(WORLDS, CLASSIC, time_limit=LIMIT, info=KNOWN)
    seen: list[Any] = [worlds.reset(0)]
    seen += [worlds.step(from_numpy(actions.astype(np.int64))) for actions in ACTIONS]
    return jax.tree.map(lambda tensor: tensor.numpy(), seen)


@part
def replays() -> Any:
    from openworld.storage import replay

    def choose(carry: Any, key: jax.Array, obs: jax.Array) -> tuple[Any, np.ndarray]:
        number = 0 if carry is None else carry
        return number + 1, ACTIONS[number, :1]

    with tempfile.TemporaryDirectory() as folder:
        path = replay.record(openworld.make(CLASSIC), choose, (3, 4), STEPS).save(Path(folder) / "a.replay")
        again = replay.Replay.load(path)
        seen = [dataclasses.asdict(moment) for moment in replay.moments(again)]
        return json.loads(path.read_text()), seen


@part
def judging() -> Any:
    from openworld.judging import protocols
    from tests.judging.small import SMALL, Walker, judged

    protocols.PROTOCOLS[SMALL.name] = SMALL
    result = judged(Walker, episodes=WORLDS)
    played = result.episodes
    kept = played.returns, played.lengths, played.unlocked, played.ended, played.actions, played.digests
    return kept, result.numbers


@part
def training() -> Any:
    """A run of two updates, resumed for a third; what it measured and learned, evaluated and exported."""
    from openworld_trainers.ppo import config as settings
    from openworld_trainers.run.evaluate import evaluate
    from openworld_trainers.run.export import export
    from openworld_trainers.run.folder import RunFolder
    from openworld_trainers.run.load import load_agent
    from openworld_trainers.run.settings import load_policy
    from openworld_trainers.run.train import train
    from tests.trainers.helpers import small

    run, env = settings.Run(transitions=2 * 64, film=False), settings.Env(id=CLASSIC, time_limit=LIMIT)
    network = settings.Network(width=8, depth=1, memory="gru")
    learning = settings.Learning(minibatch_size=32, epochs=2, ewma=0.9)
    rollout = settings.Rollout(worlds=8, steps=8)
    config = small(env=env, run=run, network=network, learning=learning, rollout=rollout)
    with tempfile.TemporaryDirectory() as folder:
        train(config, folder)
        train(dataclasses.replace(config, run=dataclasses.replace(run, transitions=3 * 64)), folder, True)
        rows = RunFolder(folder).metrics()
        report = evaluate(folder, episodes=4, max_steps=LIMIT).as_dict()
        policy = jax.tree.leaves(load_policy(folder))
        agent: Any = load_agent(export(folder, Path(folder) / "export"))
        obs, _ = openworld.make(CLASSIC).reset(3, WORLDS)
        memory, action = agent(agent.begin(WORLDS), obs)
    # Optax corrects its bias in 64 bits where it may, so that what is learned differs in its last bits.
    learned = [(leaf.dtype.name, leaf.shape, round(float(jnp.linalg.norm(leaf)), 2)) for leaf in policy]
    counts = [
        [row[name] for name in ("update", "episodes", "return", "length", "achievements")] for row in rows
    ]
    names = [sorted(row) for row in rows]
    return names, counts, report["trained"], report["random"], learned, memory.dtype.name, action


def played(names: list[str]) -> dict[str, str]:
    """Each part's digest, or how it failed."""
    found = {}
    for name in names or list(PARTS):
        try:
            found[name] = digest(PARTS[name]())
        except Exception:  # all that go wrong are told of together
            found[name] = traceback.format_exc(limit=-6)
    return found


if __name__ == "__main__":
    result = played(sys.argv[1:])
    print(json.dumps(result))
