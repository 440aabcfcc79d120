"""What Gymnasium is told, and by whom."""

import importlib.util
import os
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest

from openworld import registry

ROOT = Path(__file__).parent.parent.parent
DISCOVERY = ROOT / "openworld" / "adapters" / "discovery"


def run(code: str) -> str:
    """What a fresh Python prints; where openworld is not installed, its start-up module is imported by hand."""
    installed = importlib.util.find_spec("_openworld_gymnasium") is not None
    path = os.pathsep.join([str(ROOT), str(DISCOVERY)])
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code if installed else f"import _openworld_gymnasium\n{code}"],
        env={**os.environ, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


def test_start_up_tells_of_what_the_registry_holds():
    told = run("import _openworld_gymnasium as d; print(*d.IDS, d.ENTRY_POINT, d.VECTOR_ENTRY_POINT)")
    assert told.split() == [*registry.alone(), registry.ENTRY_POINT, registry.VECTOR_ENTRY_POINT]
    told = run("import _openworld_gymnasium as d; print(*d.IDS.values())")
    assert told.split() == [str(registry.make(id).time_limit) for id in registry.alone()]


def test_every_id_is_made_without_an_import():
    code = "import sys, gymnasium; before = 'openworld' in sys.modules; envs = [gymnasium.make(id) for id in "
    code += f"{list(registry.alone())}]; print(before, *(type(env.unwrapped).__name__ for env in envs), "
    code += "*(env.unwrapped.world.id for env in envs))"
    assert run(code).split() == ["False", *["OpenWorldEnv"] * len(registry.alone()), *registry.alone()]
    code = (
        f"import gymnasium; envs = [gymnasium.make_vec(id, num_envs=2) for id in {list(registry.alone())}]; "
    )
    code += "print(*(f'{type(env).__name__}:{env.world.id}' for env in envs))"
    assert run(code).split() == [f"OpenWorldVectorEnv:{id}" for id in registry.alone()]


def test_registering_again_changes_nothing(recwarn):
    registry.register_gymnasium()
    before = dict(gymnasium.registry)
    registry.register_gymnasium()
    assert gymnasium.registry == before
    assert not recwarn.list


def test_the_registry_imports_neither_jax_nor_gymnasium():
    code = "import sys, openworld.registry; print([m for m in ('jax', 'gymnasium') if m in sys.modules])"
    assert run(code) == "[]"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("OpenWorld-v1", "unknown world id 'OpenWorld-v1'; did you mean OpenWorld-v0 or OpenWorld-"),
        ("OpenWorld-Clasic-v0", "did you mean OpenWorld-Classic-v0"),
        ("openworld", "unknown world id 'openworld'"),
        ("Crafter", "unknown world id 'Crafter'; known ids: OpenWorld-v0"),
    ],
)
def test_unknown_ids_name_the_near_ones(name, told):
    with pytest.raises(ValueError, match="unknown world id") as refusal:
        registry.make(name)
    assert told in str(refusal.value)


def test_a_wrong_keyword_names_the_right_ones():
    told = (
        r"make\(\) got an unexpected keyword argument 'observations'; it takes observation, num_agents, time"
    )
    with pytest.raises(TypeError, match=told):
        registry.make("OpenWorld-v0", observations="tokens")


def test_what_an_id_shows_unless_asked_otherwise():
    shown = {id: registry.make(id).observation for id in registry.WORLDS}
    assert shown == {id: "pixels" if "Pixels" in id else "tokens" for id in registry.WORLDS}
    assert registry.make("OpenWorld-Pixels-v0", observation="tokens").observation == "tokens"
    assert registry.ruleset("OpenWorld-Pixels-v0") is registry.ruleset("OpenWorld-v0")


def test_settings_reach_the_world():
    world = registry.make("OpenWorld-v0", time_limit=9, observation="symbolic")
    assert (world.time_limit, world.observation, world.id) == (9, "symbolic", "OpenWorld-v0")
    limits = {id: registry.make(id).time_limit for id in registry.WORLDS}
    assert limits == {id: 10_000 if "Classic" in id else 100_000 for id in registry.WORLDS}
    assert world == registry.make("OpenWorld-v0", time_limit=9, observation="symbolic")
    assert hash(world) is not None
