"""Making an environment touches no device, so that a process may be forked; one line says when it is too late."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import jaxtyping
import numpy as np
import pytest

from openworld.storage.replay.recording import moments
from openworld.system import forking
from openworld_trainers.run.agent import Agent, RecurrentAgent

ROOT = Path(__file__).parent.parent.parent
CLASSIC = "OpenWorld-Classic-v0"


def run(code: str, tmp_path: Path, *flags: str, seconds: int = 240) -> str:
    """What a script prints; it hangs no longer than some seconds."""
    script = tmp_path / "script.py"
    script.write_text(code)
    path = os.pathsep.join([str(ROOT / "openworld" / "adapters" / "discovery"), str(ROOT)])
    done = subprocess.run(
        [sys.executable, *flags, str(script)],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


MAKING = """
import importlib, pkgutil
import gymnasium, openworld
from openworld import registry
from jax._src import xla_bridge

def untouched(what):
    assert not xla_bridge._backends, what

for module in pkgutil.walk_packages(openworld.__path__, "openworld."):
    try:
        importlib.import_module(module.name) if not module.name.endswith("__main__") else None
    except ImportError:
        pass  # an extra that is not installed
    untouched(module.name)
for id in registry.alone():
    for env in (gymnasium.make(id), gymnasium.make_vec(id, num_envs=2), gymnasium.spec(id).make()):
        env.action_space.seed(0), env.action_space.sample(), env.observation_space.dtype
        untouched((id, env))
    env = openworld.make(id)
    env.observation_shape, env.layout, env.num_actions, env.observation_dtype, hash(env), repr(env)
    untouched((id, "make"))
    from openworld.adapters import gymnax
    env, params = gymnax.make(id)
    env.observation_space(params), env.action_space(params)
    untouched((id, "gymnax"))
"""
MORE = {
    "stable_baselines3": "from openworld.adapters import sb3; env = sb3.make_vec_env(n_envs=2, seed=1)",
    "pettingzoo": "from openworld.adapters import pettingzoo; env = pettingzoo.parallel_env(); pettingzoo.env(); "
    "env.observation_space('player_0'), env.state_space",
    "torch": "from openworld.adapters.torch import TorchWorlds; env = TorchWorlds(2); env.observation_shape",
}


def test_making_any_environment_touches_no_device(tmp_path):
    run(MAKING, tmp_path)


@pytest.mark.parametrize("framework", MORE)
def test_making_one_for_a_framework_touches_no_device(framework, tmp_path):
    pytest.importorskip(framework)
    more = "import copy, pickle\ncopy.deepcopy(env), pickle.loads(pickle.dumps(env))\n"
    run(
        f"{MORE[framework]}\n{more}from jax._src import xla_bridge\nassert not xla_bridge._backends", tmp_path
    )


FORKED = """
import os, signal, sys, traceback, warnings
import jax
warnings.simplefilter("ignore")
import numpy as np
import openworld
from openworld.system import forking
from openworld.adapters import gymnax
from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv
ID = "OpenWorld-Classic-v0"

def child(play):
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        try:
            play()
            told = "played"
        except BaseException as error:
            told = f"{type(error).__name__}: {error}"
        os.write(write, told.encode())
        os._exit(0)
    os.close(write)
    told = os.read(read, 10000).decode()
    assert os.waitpid(pid, 0)[1] == 0
    return told

# Before JAX has started a child may be forked; it may not start JAX here only because compiling takes long.
made = OpenWorldEnv(ID)
assert child(forking.refuse) == "played"
assert not forking.started()
jax.device_put(0)
assert forking.started()
raw, (gym_x, params) = openworld.make(ID), gymnax.make(ID)
batch = OpenWorldVectorEnv(2, ID)
for play in (
    lambda: made.reset(seed=0),  # made before
    lambda: OpenWorldEnv(ID).reset(seed=0),  # made in the child
    lambda: batch.reset(seed=0),
    lambda: raw.reset(0, 1),
    lambda: raw.reset_seeds(np.zeros((1, 2), np.uint32)),
    lambda: raw.step(None, None),
    lambda: raw.action_mask(None),
    lambda: gym_x.reset(None, params),
):
    told = child(play)
    assert told == "RuntimeError: " + forking.MESSAGE, told
# A grandchild is no better off, and nobody waits when the child ends as usual.
assert child(lambda: print(child(forking.refuse))) == "played"
made.close()
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_fork_after_use_is_refused_in_one_line(tmp_path):
    told = run(FORKED, tmp_path, seconds=120)
    assert "\n" not in told


USED = """
import gymnasium, jax, warnings
from gymnasium.vector import AsyncVectorEnv
if __name__ == "__main__":
    warnings.simplefilter("ignore")
    jax.device_put(0)  # as any use of an environment does
    envs = AsyncVectorEnv([lambda: gymnasium.make("OpenWorld-Classic-v0")] * 2, context="fork")
    try:
        envs.reset(seed=0)
    except RuntimeError as error:
        print("refused:", error)
    envs.close(terminate=True)
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_an_async_vector_forked_after_use_says_so(tmp_path):
    assert "refused: this process was forked" in run(USED, tmp_path, seconds=120)


MODES = """
import json, sys, warnings
import gymnasium, numpy as np

def main():
    settings = dict(observation="tokens", time_limit=30)
    seen = {}
    for name, more in json.loads(sys.argv[1] if len(sys.argv) > 1 else MORE).items():
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            envs = gymnasium.make_vec("OpenWorld-Classic-v0", num_envs=1, **more, **settings)
        obs, _ = envs.reset(seed=3)
        seen[name] = [obs, *envs.step([5])[:2]]
        assert any("forkserver" in str(one.message) for one in told) == (name == "default after use"), told
        assert envs.spec.id == "OpenWorld-Classic-v0"
        envs.close()
    first, *others = seen.values()
    for other in others:
        assert all(map(np.array_equal, first, other))
    print(*seen, sep=",")

if __name__ == "__main__":
    main()
"""


@pytest.mark.slow
def test_every_vectorization_mode_plays_the_same(tmp_path):
    """Asynchronous ones first in a fresh process, by fork; later by what JAX allows."""
    modes = {
        "async": {"vectorization_mode": "async"},
        "sync": {"vectorization_mode": "sync"},
        "native": {"vectorization_mode": "vector_entry_point"},
        "spawn": {"vectorization_mode": "async", "vector_kwargs": {"context": "spawn"}},
        "forkserver": {"vectorization_mode": "async", "vector_kwargs": {"context": "forkserver"}},
    }
    assert run(f"MORE = {json.dumps(modes)!r}\n{MODES}", tmp_path) == ",".join(modes)


@pytest.mark.slow
@pytest.mark.skipif(sys.version_info >= (3, 14), reason="the default is no fork")
def test_the_default_way_to_start_processes_is_none_that_hangs(tmp_path):
    modes = {"sync": {"vectorization_mode": "sync"}, "default after use": {"vectorization_mode": "async"}}
    assert run(f"MORE = {json.dumps(modes)!r}\n{MODES}", tmp_path) == ",".join(modes)


def test_replays_and_agents_ask_too(monkeypatch):
    def refuse():
        raise RuntimeError(forking.MESSAGE)

    monkeypatch.setattr(forking, "refuse", refuse)
    monkeypatch.setattr(jaxtyping.config, "jaxtyping_disable", True)
    tokens = np.zeros((1, 307), np.uint8)
    for play in (
        lambda: next(moments(None)),
        lambda: Agent(None, {})(tokens),
        lambda: RecurrentAgent(None, {})(tokens, tokens),
    ):
        with pytest.raises(RuntimeError, match=re.escape(forking.MESSAGE)):
            play()
