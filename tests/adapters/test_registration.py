"""What Gymnasium is told, and by whom."""

import importlib.util
import os
import pickle
import site
import subprocess
import sys
from pathlib import Path

import gymnasium
import pytest
from gymnasium.envs.registration import EnvSpec

from openworld import registry
from openworld.adapters.discovery import hook, register_gymnasium
from openworld.adapters.gymnasium import OpenWorldEnv, OpenWorldVectorEnv

ROOT = Path(__file__).parent.parent.parent
DISCOVERY = ROOT / "openworld" / "adapters" / "discovery"
CLASSIC = "OpenWorld-Classic-v0"


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
    told = run(
        "import _openworld_gymnasium as d; print(*d.IDS, *d.SEVERAL, d.ENTRY_POINT, d.VECTOR_ENTRY_POINT)"
    )
    assert told.split() == [*registry.ENVIRONMENTS, hook.ENTRY_POINT, hook.VECTOR_ENTRY_POINT]
    assert run("import _openworld_gymnasium as d; print(*d.IDS)").split() == [*registry.alone()]
    told = run("import _openworld_gymnasium as d; print(*d.IDS.values())")
    assert told.split() == [str(registry.make(id).time_limit) for id in registry.alone()]


def test_every_id_is_made_without_an_import():
    code = "import sys, gymnasium; before = 'openworld' in sys.modules; envs = [gymnasium.make(id) for id in "
    code += f"{list(registry.alone())}]; print(before, *(type(env.unwrapped).__name__ for env in envs), "
    code += "*(env.unwrapped.jax_env.id for env in envs))"
    assert run(code).split() == ["False", *["OpenWorldEnv"] * len(registry.alone()), *registry.alone()]
    code = (
        f"import gymnasium; envs = [gymnasium.make_vec(id, num_envs=2) for id in {list(registry.alone())}]; "
    )
    code += "print(*(f'{type(env).__name__}:{env.jax_env.id}' for env in envs))"
    assert run(code).split() == [f"OpenWorldVectorEnv:{id}" for id in registry.alone()]


def test_registering_again_changes_nothing(recwarn):
    register_gymnasium()
    before = dict(gymnasium.registry)
    register_gymnasium()
    assert gymnasium.registry == before
    assert not recwarn.list


BARE = "import sys; sys.path[:0] = {paths!r}\n"


def bare(code: str, *paths: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a Python that has run no start-up module, given where to find packages."""
    installed = [str(path) for path in (*paths, *map(Path, site.getsitepackages()))]
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", BARE.format(paths=installed) + code],
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done


ALL = "[name for name in gymnasium.registry if name.startswith('OpenWorld')]"


@pytest.mark.parametrize("order", ["openworld, gymnasium", "gymnasium, openworld"])
def test_without_the_start_up_hook_importing_openworld_registers_the_ids(order):
    code = f"import {order}; assert 'jax' not in sys.modules; print(*{ALL})"
    assert set(bare(code, ROOT).stdout.split()) == set(registry.ENVIRONMENTS)


def test_importing_openworld_does_not_import_gymnasium():
    code = "import openworld; print([m for m in ('gymnasium', 'jax', 'numpy') if m in sys.modules])"
    assert bare(code, ROOT).stdout.strip() == "[]"


def test_an_id_may_name_the_module_that_registers_it():
    code = "import gymnasium; print(gymnasium.make('openworld:OpenWorld-Classic-v0').spec.id)"
    assert bare(code, ROOT).stdout.strip() == "OpenWorld-Classic-v0"


def test_the_start_up_hook_imports_nothing_that_python_has_not():
    """Which is why it takes less than a millisecond; see `python -X importtime`."""
    code = "before = set(sys.modules); import _openworld_gymnasium; print(*(set(sys.modules) - before))"
    assert bare(code, DISCOVERY).stdout.strip() == "_openworld_gymnasium"


def test_what_fails_in_registration_does_not_break_gymnasium():
    code = "import _openworld_gymnasium as hook; hook.IDS = (None,)\nimport gymnasium\n"
    done = bare(code + "print('CartPole-v1' in gymnasium.registry)", DISCOVERY)
    assert done.stdout.strip() == "True"
    assert done.stderr.startswith("openworld: its ids are not known to Gymnasium: ")
    assert done.stderr.count("\n") == 1
    code += "import openworld; print('OpenWorld-v0' in gymnasium.registry)"  # by its own copy of the module
    assert bare(code, DISCOVERY, ROOT).stdout.strip() == "True"


def test_ids_survive_another_import_of_gymnasium():
    code = f"""
import importlib, warnings, gymnasium
warnings.simplefilter("ignore")
for name in [name for name in sys.modules if name.split(".")[0] == "gymnasium"]:
    del sys.modules[name]
import gymnasium
print(len({ALL}))
importlib.reload(gymnasium.envs.registration)
gymnasium.registry = gymnasium.envs.registration.registry
print(len({ALL}))
print(type(gymnasium.envs.registration.__loader__).__name__)
import gymnasium.envs.registration as registration
print(registration.__spec__.loader is registration.__loader__)
"""
    count = str(len(registry.ENVIRONMENTS))
    for first in ("import _openworld_gymnasium", "import openworld"):
        told = bare(f"{first}\n{code}", DISCOVERY, ROOT).stdout.split()
        assert told == [count, count, "SourceFileLoader", "True"]


def test_finders_do_not_pile_up():
    code = """
import importlib, _openworld_gymnasium
import openworld
for _ in range(3):
    importlib.reload(_openworld_gymnasium)
    importlib.reload(openworld)
print([f.__module__ for f in sys.meta_path if getattr(f, "__name__", "") == "Watch"])
"""
    assert (
        bare(code, DISCOVERY, ROOT).stdout.strip() == "['openworld.adapters.discovery._openworld_gymnasium']"
    )


def test_what_an_earlier_version_registered_is_registered_anew():
    code = """
import gymnasium
for name in ("OpenWorld-v0", "OpenWorld-Classic-v0"):
    gymnasium.register(name, entry_point="openworld.adapters.gymnasium:OpenWorldEnv", kwargs={"id": name})
gymnasium.register("OpenWorld-Pixels-v0", entry_point="mine:Env")
import openworld
print(*(gymnasium.spec(name).kwargs for name in ("OpenWorld-v0", "OpenWorld-Classic-v0", "OpenWorld-Pixels-v0")))
"""
    told = "{'env_id': 'OpenWorld-v0'} {'env_id': 'OpenWorld-Classic-v0'} {}"
    assert bare(code, ROOT).stdout.strip() == told


@pytest.mark.parametrize("make", [gymnasium.make, gymnasium.make_vec])
def test_an_id_for_several_players_says_where_to_go(make):
    register_gymnasium()
    with pytest.raises(ValueError, match="is for several players") as refusal:
        make("OpenWorld-Coop-v0")
    assert "openworld.adapters.pettingzoo.parallel_env()" in str(refusal.value)
    assert "openworld.make('OpenWorld-Coop-v0')" in str(refusal.value)
    assert "\n" not in str(refusal.value)


def test_specs_make_what_they_are_of():
    """As scripts and RLlib keep them: by id and settings, as JSON, pickled."""
    register_gymnasium()
    id, config = "OpenWorld-Classic-v0", {"observation": "tokens", "time_limit": 9}
    made = gymnasium.make(id, **config)
    spec = made.spec
    again = [spec.make(), gymnasium.make(spec), gymnasium.make(EnvSpec.from_json(spec.to_json()))]
    again += [gymnasium.spec(id).make(**config), gymnasium.make(pickle.loads(pickle.dumps(spec)))]
    for env in again:
        assert env.unwrapped.jax_env == made.unwrapped.jax_env
        assert env.spec == spec
    envs = gymnasium.make_vec(id, num_envs=3, **config)
    for vector in (gymnasium.make_vec(envs.spec), gymnasium.make_vec(EnvSpec.from_json(envs.spec.to_json()))):
        assert (vector.num_envs, vector.unwrapped.jax_env) == (3, envs.unwrapped.jax_env)
    assert len(gymnasium.make_vec(id, num_envs=3, vectorization_mode="sync", **config).envs) == 3


def test_an_environment_is_made_by_either_keyword():
    for one in (OpenWorldEnv(CLASSIC), OpenWorldEnv(id=CLASSIC), OpenWorldEnv(env_id=CLASSIC)):
        assert one.jax_env.id == CLASSIC
    for many in (
        OpenWorldVectorEnv(2, CLASSIC),
        OpenWorldVectorEnv(num_envs=2, id=CLASSIC),
        OpenWorldVectorEnv(2, env_id=CLASSIC),
    ):
        assert (many.jax_env.id, many.num_envs) == (CLASSIC, 2)


def test_the_registry_imports_neither_jax_nor_gymnasium():
    code = "import sys, openworld.registry; print([m for m in ('jax', 'gymnasium') if m in sys.modules])"
    assert run(code) == "[]"


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("OpenWorld-v1", "unknown environment id 'OpenWorld-v1'; did you mean OpenWorld-v0 or OpenWorld-"),
        ("OpenWorld-Clasic-v0", "did you mean OpenWorld-Classic-v0"),
        ("openworld", "unknown environment id 'openworld'"),
        ("Crafter", "unknown environment id 'Crafter'; known ids: OpenWorld-v0"),
    ],
)
def test_unknown_ids_name_the_near_ones(name, told):
    with pytest.raises(ValueError, match="unknown environment id") as refusal:
        registry.make(name)
    assert told in str(refusal.value)


def test_a_wrong_keyword_names_the_right_ones():
    told = (
        r"make\(\) got an unexpected keyword argument 'observations'; it takes observation, num_agents, time"
    )
    with pytest.raises(TypeError, match=told):
        registry.make("OpenWorld-v0", observations="tokens")


def test_what_an_id_shows_unless_asked_otherwise():
    shown = {id: registry.make(id).observation for id in registry.ENVIRONMENTS}
    assert shown == {id: "pixels" if "Pixels" in id else "tokens" for id in registry.ENVIRONMENTS}
    assert registry.make("OpenWorld-Pixels-v0", observation="tokens").observation == "tokens"
    assert registry.ruleset("OpenWorld-Pixels-v0") is registry.ruleset("OpenWorld-v0")


def test_settings_reach_the_world():
    world = registry.make("OpenWorld-v0", time_limit=9, observation="symbolic")
    assert (world.time_limit, world.observation, world.id) == (9, "symbolic", "OpenWorld-v0")
    limits = {id: registry.make(id).time_limit for id in registry.ENVIRONMENTS}
    assert limits == {id: 10_000 if "Classic" in id else 100_000 for id in registry.ENVIRONMENTS}
    assert world == registry.make("OpenWorld-v0", time_limit=9, observation="symbolic")
    assert hash(world) is not None
