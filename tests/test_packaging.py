"""What a user installs: the wheel's contents, the lock, and that Gymnasium knows the ids."""

import importlib
import importlib.metadata
import re
import site
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
discovery = pytest.importorskip("_openworld_gymnasium", reason="openworld is not installed: run make venv")


def run(code: str, *flags: str) -> str:
    """What a fresh Python prints, started elsewhere so that only what is installed is found."""
    return subprocess.run(
        [sys.executable, *flags, "-c", code], cwd=Path(sys.prefix), capture_output=True, text=True, check=True
    ).stdout.strip()


def test_the_installed_version_is_this_one():
    assert importlib.metadata.version("openworld") == PROJECT["project"]["version"]


def test_the_changelog_knows_this_version():
    assert f"## [{PROJECT['project']['version']}]" in (ROOT / "CHANGELOG.md").read_text()


def test_the_lock_holds_exact_versions_and_no_addresses():
    lines = [
        line for line in (ROOT / "requirements.lock").read_text().splitlines() if not line.startswith("#")
    ]
    assert [line for line in lines if not re.fullmatch(r"[a-z0-9.-]+==[\w.]+( ; [\w.'<>!= ]+)?", line)] == []


def test_the_lock_holds_what_is_asked_for():
    extras = PROJECT["project"]["optional-dependencies"]
    groups = [PROJECT["project"]["dependencies"], *PROJECT["dependency-groups"].values()]
    groups += [extras[name] for name in ("train", "play", "video", "plots", "pettingzoo")]
    names = {re.match(r"[\w.-]+", line)[0] for group in groups for line in group}
    locked = {line.split("==")[0] for line in (ROOT / "requirements.lock").read_text().splitlines()}
    assert names <= locked


def test_the_extra_for_videos_brings_what_gymnasium_makes_them_with():
    extras = PROJECT["project"]["optional-dependencies"]
    assert any(line.startswith("moviepy") for line in extras["video"])
    assert "video" in re.search(r"\[(.*)\]", extras["all"][0])[1].split(",")


def test_gymnasium_knows_the_ids_and_nothing_is_imported_for_it():
    code = "import sys, gymnasium; print(*(n for n in gymnasium.registry if 'OpenWorld' in n)); "
    code += "assert not {'jax', 'openworld', 'openworld_trainers'} & set(sys.modules)"
    assert run(code, "-W", "error").split() == [*discovery.IDS, *discovery.SEVERAL]


def test_starting_python_imports_neither_openworld_nor_gymnasium():
    heavy = ["jax", "numpy", "openworld", "gymnasium"]
    assert run(f"import sys; print([n for n in {heavy} if n in sys.modules])") == "[]"


def test_gymnasium_is_told_what_the_registry_holds():
    registry = importlib.import_module("openworld.registry")
    assert dict(discovery.IDS) == {id: registry.listed(id).rules.time_limit for id in registry.alone()}
    assert {*discovery.IDS, *discovery.SEVERAL} == set(registry.ENVIRONMENTS)


@pytest.mark.parametrize("face", [discovery.ENTRY_POINT, discovery.VECTOR_ENTRY_POINT])
def test_the_registered_classes_exist(face):
    module, name = face.split(":")
    assert hasattr(importlib.import_module(module), name)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(folder)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


def test_the_wheel_carries_all_its_parts(wheel):
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {
        "openworld/__init__.py",
        "openworld/py.typed",
        "openworld/assets/README.md",
        "openworld/assets/replay/page.html",
        "openworld_trainers/__init__.py",
        "openworld_trainers/py.typed",
        "openworld/adapters/discovery/__init__.py",
        "_openworld_gymnasium.py",
        "openworld-gymnasium.pth",
    } <= names
    assert not [name for name in names if name.startswith(("tests/", "assets/", "docs/"))]


def test_from_a_zipped_path_importing_openworld_registers_the_ids(wheel):
    code = (
        f"import sys; sys.path[:0] = {[str(wheel), *site.getsitepackages()]!r}; import gymnasium, openworld; "
    )
    code += "assert '.whl' in openworld.__file__; "
    code += (
        "print(*(n for n in gymnasium.registry if 'OpenWorld' in n), gymnasium.spec('OpenWorld-v0').kwargs)"
    )
    registry = importlib.import_module("openworld.registry")
    assert run(code, "-I", "-S") == " ".join(registry.ENVIRONMENTS) + " {'env_id': 'OpenWorld-v0'}"


def test_the_version_is_that_of_the_project():
    from openworld.version import __version__

    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    assert __version__ == project["version"]
