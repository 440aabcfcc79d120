"""The memory, the text and the traces of a measured program."""

from types import SimpleNamespace

import jax
import jax.numpy as jnp
import pytest

from openworld.bench import device, hlo, profile, timing
from tests.helpers_bench import settings


def test_a_batch_that_cannot_fit_is_refused_before_it_is_compiled(monkeypatch):
    monkeypatch.setattr(device, "memory", lambda: 2**30)
    device.check_fits(jax.ShapeDtypeStruct((2**28,), jnp.float32))
    with pytest.raises(device.TooLargeError, match=r"needs 1\.0 GiB, and the device has 1\.0"):
        device.check_fits(jax.ShapeDtypeStruct((2**28 + 1,), jnp.float32))


def test_a_program_reports_its_memory_and_its_bytes(tmp_path):
    _, program = bench_compiled(lambda x: x + 1, jnp.zeros(1024))
    facts = device.program_facts(program)
    assert facts["memory"]["argument"] == facts["memory"]["output"] == 4096
    assert facts["memory"]["in_all"] >= 8192
    assert facts["bytes_accessed"] >= 8192
    nothing = device.program_facts(SimpleNamespace(memory_analysis=lambda: None, cost_analysis=lambda: None))
    assert nothing == {"memory": None, "bytes_accessed": None}
    for number in range(device.DUMPS + 1):
        device.dump(settings(dump=str(tmp_path)), f"program-{number}", program)
    assert len(list(tmp_path.iterdir())) == device.DUMPS


def bench_compiled(function, *arguments):
    return timing.compiled(jax.jit(function), *arguments)


TEXT = """HloModule jit_play

%fused_computation (p: s32[8]) -> s32[8] {
  %p = s32[8]{0} parameter(0)
  ROOT %add.1 = s32[8]{0} add(%p, %p), metadata={op_name="jit(play)/vmap(player_actions)/craft/add"}
}

%body (at: s32[8]) -> s32[8] {
  %at = s32[8]{0} parameter(0)
  ROOT %copy.7 = s32[8]{0} copy(%at)
}

ENTRY %main (x: s32[8]) -> s32[8] {
  %x = s32[8]{0} parameter(0)
  %loop_fusion.3 = s32[8]{0} fusion(%x), kind=kLoop, calls=%fused_computation
  %loop_select_fusion = s32[8]{0} fusion(%x), kind=kLoop, metadata={op_name="jit(play)/observe/select_n"}
  ROOT %while.2 = s32[8]{0} while(%x), condition=%other, body=%body, metadata={op_name="jit(play)/reset/while"}
}
"""


def test_kernels_are_known_by_the_part_that_they_belong_to():
    names = hlo.op_names(TEXT)
    scopes = {name: hlo.scope_of(path) for name, path in names.items()}
    assert scopes["loop_fusion.3"] == scopes["loop_fusion_3"] == "player_actions"
    assert scopes["loop_select_fusion"] == "observe"
    assert scopes["copy.7"] == "reset"
    assert scopes["x"] == hlo.UNNAMED


def event(name, ts, dur, tid=1, pid=1, **args):
    return {"ph": "X", "name": name, "ts": ts, "dur": dur, "tid": tid, "pid": pid, "args": args}


def test_a_gpu_trace_is_read_by_its_streams():
    events = [
        {"ph": "M", "name": "process_name", "pid": 1, "args": {"name": "/device:GPU:0"}},
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": 1, "args": {"name": "Stream #16(Compute)"}},
        {"ph": "M", "name": "thread_name", "pid": 1, "tid": 2, "args": {"name": "XLA Ops"}},
        {"ph": "M", "name": "process_name", "pid": 9, "args": {"name": "/host:CPU"}},
        event("loop_fusion_3", 0, 30.0, correlation_id="1"),
        event("loop_fusion_3", 40, 30.0, correlation_id="2"),
        event("some_kernel", 80, 10.0, hlo_op="loop_select_fusion", correlation_id="3"),
        event("MemcpyD2H", 90, 2.0, memcpy_details="kind_dst:pageable"),
        event("loop_fusion_3", 0, 900.0, tid=2),
        event("loop_fusion_3", 0, 900.0, pid=9),
    ]
    facts = profile.summary(events, hlo.op_names(TEXT), steps=2)
    assert facts["scopes"]["player_actions"] == {"seconds": pytest.approx(30e-6), "kernels": 1.0}
    assert facts["scopes"]["observe"] == {"seconds": pytest.approx(5e-6), "kernels": 0.5}
    assert facts["scopes"][hlo.UNNAMED]["kernels"] == 0.5
    assert facts["kernels_a_step"] == 2.0
    assert facts["named_share"] == pytest.approx(70 / 72)
    assert facts["copies_to_host_a_step"] == 0.5
    assert facts["busy_seconds_a_step"] == pytest.approx(36e-6)
    assert facts["heaviest"][0]["kernel"] == "loop_fusion_3"
    assert facts["heaviest"][0]["op_name"].endswith("craft/add")


def test_a_cpu_trace_counts_each_kernel_without_those_inside_it():
    events = [
        event("while.2", 0, 100.0),
        event("copy.7", 10, 30.0),
        event("ThunkExecutor::Execute", 50, 20.0),
        event("loop_fusion.3", 55, 10.0),
    ]
    facts = profile.summary(events, hlo.op_names(TEXT), steps=1)
    assert facts["scopes"]["reset"]["seconds"] == pytest.approx((100 - 30 - 20 + 30) * 1e-6)
    assert facts["scopes"]["player_actions"]["seconds"] == pytest.approx(10e-6)
    assert facts["kernels_a_step"] == 3


def test_a_trace_is_taken_of_any_program():
    function = jax.jit(lambda x, steps: jax.lax.fori_loop(0, steps, lambda _, y: jnp.sin(y), x))
    _, play = bench_compiled(function, jnp.ones(4096), jnp.int32(1))
    facts = profile.of(function, play, jnp.ones(4096), pace=1.0)
    assert facts["steps"] == 1
    assert facts["kernels_a_step"] >= 1
    assert facts["busy_seconds_a_step"] > 0


def test_a_program_whose_kernels_hide_in_graphs_is_traced_one_by_one(monkeypatch):
    plays = []

    def take(play, carry, pace):
        plays.append(play)
        return {"named_share": 0.1 if len(plays) == 1 else 1.0}, carry

    class Function:
        def lower(self, carry, steps):
            return SimpleNamespace(compile=lambda compiler_options: compiler_options)

    monkeypatch.setattr(profile, "take", take)
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    assert profile.of(Function(), "graphs", 0, 1.0) == {"named_share": 1.0, "one_by_one": True}
    assert plays == ["graphs", profile.ONE_BY_ONE]
    monkeypatch.setattr(profile, "take", lambda *_: 1 / 0)
    assert profile.of(Function(), "graphs", 0, 1.0) == {"left_out": "ZeroDivisionError: division by zero"}
