"""A long compilation is not silent, a short one is, and neither leaves a thread behind."""

import os
import subprocess
import sys
import threading
import time
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

from openworld.system import cache, compile_notice

ROOT = Path(__file__).parent.parent


@pytest.fixture
def loud(monkeypatch):
    """Lines are written, and none has been yet."""
    monkeypatch.delenv(compile_notice.VARIABLE, raising=False)
    monkeypatch.setattr(compile_notice, "_said", set())
    monkeypatch.setattr(compile_notice, "AFTER", 0.05)


def compiled(seconds: float, program: str = "jit_step") -> None:
    """What JAX reports of a compilation of this length."""
    compile_notice._begun(compile_notice.EVENT, time.time(), fun_name=program)
    time.sleep(seconds)
    compile_notice._ended(compile_notice.EVENT, seconds, fun_name=program)


def as_if_ours(monkeypatch, ours: bool) -> None:
    monkeypatch.setattr(compile_notice, "_is_ours", lambda frame: ours and frame is not None)


def test_a_long_compilation_is_told_once(loud, monkeypatch, capsys):
    as_if_ours(monkeypatch, True)
    for _ in range(2):
        compiled(0.3)
    told = capsys.readouterr().err
    assert told.startswith("openworld: compiling 'step'; this takes up to a minute or two the first time; ")
    assert f"later runs read it from {jax.config.jax_compilation_cache_dir} (OPENWORLD_QUIET=1 hides" in told
    assert told.count("\n") == 1
    compiled(0.3, "jit_reset")
    assert "compiling 'reset'" in capsys.readouterr().err


def test_a_short_compilation_is_not_told_and_no_thread_stays(loud, monkeypatch, capsys):
    as_if_ours(monkeypatch, True)
    before = threading.active_count()
    monkeypatch.setattr(compile_notice, "AFTER", 60.0)
    compile_notice._begun(compile_notice.EVENT, time.time(), fun_name="jit_step")
    assert threading.active_count() == before + 1
    compile_notice._ended(compile_notice.EVENT, 0.0, fun_name="jit_step")
    assert threading.active_count() == before
    assert compile_notice._timers == {}
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("value", ["1", "yes"])
def test_who_wants_none_gets_none(loud, monkeypatch, capsys, value):
    as_if_ours(monkeypatch, True)
    monkeypatch.setenv(compile_notice.VARIABLE, value)
    compiled(0.2)
    monkeypatch.setenv(compile_notice.VARIABLE, "0")
    with compile_notice.muted():
        compiled(0.2)
    assert capsys.readouterr().err == ""
    compiled(0.2)
    assert capsys.readouterr().err.count("\n") == 1


def test_programs_of_others_are_not_spoken_of(loud, capsys):
    assert not compile_notice._is_ours(None)
    assert not compile_notice._is_ours(sys._getframe())
    compiled(0.2)
    assert capsys.readouterr().err == ""


def test_a_closed_standard_error_is_no_fault(loud, monkeypatch):
    as_if_ours(monkeypatch, True)
    monkeypatch.setattr(sys, "stderr", None)
    compiled(0.2)
    assert compile_notice._said == {"step"}


def test_jax_reports_the_beginning_and_the_end(monkeypatch):
    seen = []
    monkeypatch.setattr(compile_notice, "quiet", lambda: seen.append("begun") or True)
    monkeypatch.setattr(compile_notice, "_stop", lambda: seen.append("ended"))
    cache.enable()
    jax.jit(lambda x: x * 3 + 1)(jnp.arange(3)).block_until_ready()
    assert seen[:2] == ["begun", "ended"]


SLOW = """
import sys, time, threading, types
from openworld.system import cache, compile_notice
compile_notice.AFTER = 0.02
cache.enable()
import jax
ours = types.ModuleType("openworld.slow")
exec('''
import jax, jax.numpy as jnp
def step(x):
    for i in range(200):
        x = jnp.sin(x) @ x + i
    return x
def run():
    return jax.jit(step)(jnp.ones((8, 8))).block_until_ready()
''', ours.__dict__)
ours.run()
print(threading.active_count())
"""


def test_a_real_compilation_is_told_in_a_fresh_process(tmp_path):
    environ = {name: value for name, value in os.environ.items() if name != compile_notice.VARIABLE}
    environ |= {"PYTHONPATH": str(ROOT), "OPENWORLD_CACHE": str(tmp_path)}
    environ.pop("JAX_COMPILATION_CACHE_DIR", None)
    done = subprocess.run(
        [sys.executable, "-c", SLOW], env=environ, capture_output=True, text=True, check=True
    )
    assert "openworld: compiling 'step'; " in done.stderr
    assert str(tmp_path) in done.stderr
    assert done.stdout == "1\n"
