"""Where compiled programs are kept, and that nothing fails because of it."""

import os
import subprocess
import sys
from pathlib import Path

import jax
import pytest

from openworld.system import cache


def test_the_folder_is_the_users(monkeypatch, tmp_path):
    monkeypatch.delenv(cache.VARIABLE, raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.folder() == tmp_path / "openworld" / "jax" / cache.processor()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert cache.folder() == tmp_path / ".cache" / "openworld" / "jax" / cache.processor()


@pytest.mark.parametrize("word", ["off", "OFF", "0", "none"])
def test_it_can_be_turned_off(monkeypatch, word):
    monkeypatch.setenv(cache.VARIABLE, word)
    assert cache.folder() is None


def test_it_can_be_moved(monkeypatch, tmp_path):
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path / "here"))
    assert cache.folder() == tmp_path / "here" / cache.processor()
    monkeypatch.setenv(cache.VARIABLE, "~/there")
    assert cache.folder() == Path.home() / "there" / cache.processor()


def test_the_home_of_an_unknown_user_is_no_place(monkeypatch):
    monkeypatch.setenv(cache.VARIABLE, "~nobody-of-this-name/there")
    assert cache.folder() is None


def test_a_configured_cache_is_left_alone(monkeypatch, tmp_path):
    before = jax.config.jax_compilation_cache_dir
    assert before is not None, "the tests configure one"
    monkeypatch.setenv(cache.VARIABLE, str(tmp_path))
    assert cache.enable() is None
    assert jax.config.jax_compilation_cache_dir == before
    assert not list(tmp_path.iterdir())


def fresh(code: str, **settings: str) -> str:
    """What a fresh process prints, with no cache configured but by these settings."""
    kept = {name: value for name, value in os.environ.items() if name != "JAX_COMPILATION_CACHE_DIR"}
    root = str(Path(__file__).parent.parent)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code],
        env={**kept, "PYTHONPATH": root, **settings},
        capture_output=True,
        text=True,
        check=False,
    )
    assert not done.returncode, done.stderr
    return done.stdout.strip()


COMPILE = (
    "import jax, openworld.system.cache as c; print(c.enable()); "
    "jax.jit(lambda x: x + 1)(1).block_until_ready()"
)


def test_programs_are_kept(tmp_path):
    path = fresh(COMPILE, OPENWORLD_CACHE=str(tmp_path))
    assert Path(path).parent == tmp_path
    assert [entry for entry in Path(path).iterdir() if "lambda" in entry.name]


def test_it_works_after_a_first_compilation(tmp_path):
    late = f"import jax; jax.jit(lambda y: y - 1)(1).block_until_ready()\n{COMPILE}"
    path = fresh(late, OPENWORLD_CACHE=str(tmp_path))
    assert list(Path(path).iterdir())


@pytest.mark.parametrize("where", ["off", "/proc/nowhere", "/dev/null/file"])
def test_without_a_folder_programs_run_all_the_same(where):
    assert fresh(COMPILE, OPENWORLD_CACHE=where) == "None"


def test_the_users_own_choice_stands(tmp_path):
    settings = {
        "JAX_COMPILATION_CACHE_DIR": str(tmp_path / "mine"),
        "OPENWORLD_CACHE": str(tmp_path / "ours"),
    }
    assert fresh(COMPILE, **settings) == "None"
    assert not (tmp_path / "ours").exists()
