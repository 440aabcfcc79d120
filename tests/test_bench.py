"""The benchmark measures, says what it left out, and writes what it found."""

import gzip
import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.bench import (
    device,
    equality,
    hlo,
    plans,
    ppo_updates,
    profile,
    result_tables,
    run,
    suites,
    timing,
    worlds,
)
from openworld.bench.plans import SAMPLE
from openworld.bench.roofline import measure
from openworld.bench.suites import Settings
from openworld.system import provenance

ROOT = Path(__file__).parent.parent


def settings(**changes) -> Settings:
    return Settings(
        **{"sizes": (4,), "runs": 2, "seconds": 0.01, "warm_up": 0, "kinds": ("worlds",), **changes}
    )


ROW = {
    "id": "OpenWorld-v0",
    "kind": "worlds",
    "worlds": 4096,
    "steps_per_second": 1234567.8,
    "lowest": 1e6,
    "highest": 2e6,
    "compile_seconds": 12.34,
    "bytes_per_world": 30000,
    "bytes_per_observation": 445,
    "episodes_per_1000_steps": 3.456,
}
START = {
    "id": "OpenWorld-v0",
    "kind": "start",
    "worlds": 4096,
    "import_seconds": 0.25,
    "first_step_cold_seconds": 12.0,
    "first_step_cached_seconds": 3.0,
}


@pytest.fixture
def result():
    facts = provenance.facts()
    return {
        **facts,
        "settings": result_tables.plain(settings()),
        "rows": [ROW, START],
        "left_out": ["policy: needs optax"],
        "errors": [],
    }


@pytest.mark.slow
def test_worlds_are_measured(tmp_path, monkeypatch):
    # The classic world: it compiles fastest, and the cache of compiled programs is no help here.
    lines, kept = [], []
    monkeypatch.setattr(measure, "memory_bandwidth", lambda: None)
    wanted = settings(
        ids=("OpenWorld-Classic-v0",), kinds=("worlds", "profile"), suite="gpu", dump=str(tmp_path)
    )
    result = run.measure(wanted, lines.append, lambda result: kept.append(len(result["rows"])))
    assert result["errors"] == []
    assert kept == [1, 1]
    (row,) = result["rows"]
    assert lines == ["measuring OpenWorld-Classic-v0: worlds, 4 worlds"]
    assert row["id"] == "OpenWorld-Classic-v0"
    assert row["lowest"] <= row["steps_per_second"] <= row["highest"]
    assert len(row["runs"]) == 2
    assert row["bytes_per_observation"] == 307
    assert 4_096 < row["bytes_per_world"] <= 6 * 1024
    assert row["compile_seconds"] > 0
    assert row["memory"]["argument"] > 4 * 4096
    assert row["bytes_accessed"] > 4096
    assert row["profile"]["kernels_a_step"] > 10
    assert {"player_actions", "creature_moves", "observe", "rare"} <= set(row["profile"]["scopes"])
    assert sum(part["seconds"] for part in row["profile"]["scopes"].values()) > 0
    (text,) = tmp_path.iterdir()
    assert "OpenWorld-Classic-v0-worlds-4" in text.name
    assert "op_name=" in gzip.decompress(text.read_bytes()).decode()
    assert result["left_out"] == []
    result_tables.show(result)
    json.dumps(result)


def test_several_ids_are_measured_one_after_the_other(monkeypatch, capsys):
    speeds = {"OpenWorld-v0": 1e6, "OpenWorld-Classic-v0": 2e6, "OpenWorld-Endless-v0": 3e6}

    def measured(settings, id, kind, size, reference):
        return START if kind == "start" else {**ROW, "id": id, "steps_per_second": speeds[id]}

    monkeypatch.setattr(run, "_measure_one", measured)
    words = ["--kinds", "worlds,start", "--sizes", "4", "8"]
    for ids in (["OpenWorld-Classic-v0", "OpenWorld-v0"], ["all"]):
        assert run.main([*words, "--id", *ids]) == 0
        shown = capsys.readouterr()
        named = list(speeds) if ids == ["all"] else ids
        heads = [line.split(",")[0] for line in shown.out.splitlines() if line.startswith("OpenWorld-")]
        assert heads == named
        assert [f"{speeds[id]:,.0f}" in shown.out for id in named] == [True] * len(named)
        assert shown.err.count("measuring") == 3 * len(named)


def test_what_is_not_installed_is_left_out(monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'openworld_trainers'", name="openworld_trainers")

    monkeypatch.setattr(run, "_measure_one", missing)
    result = run.measure(settings(kinds=("policy",)))
    assert result["rows"] == []
    assert result["left_out"] == ["OpenWorld-v0: policy: needs openworld_trainers, which is not installed"]


def test_too_large_a_batch_is_left_out(monkeypatch):
    def full(*_):
        raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(run, "_measure_one", full)
    result = run.measure(settings())
    assert result["left_out"] == ["OpenWorld-v0: worlds, 4 worlds: the device has too little memory"]


def test_other_errors_are_not_hidden(monkeypatch):
    def broken(*_):
        raise RuntimeError("something else")

    monkeypatch.setattr(run, "_measure_one", broken)
    with pytest.raises(RuntimeError, match="something else"):
        run.measure(settings())


def test_the_facts_are_complete():
    facts = provenance.facts()
    assert facts["machine"]["processor"]
    assert facts["machine"]["cores"] >= 1
    assert facts["devices"] == ["cpu: cpu"] * len(facts["devices"])
    assert {"python", "jax", "jaxlib", "numpy"} <= set(facts["versions"])
    assert facts["date"].endswith("+00:00")


def test_the_table_has_every_number(result, capsys):
    result_tables.show(result)
    shown = capsys.readouterr().out
    for text in (
        "worlds",
        "4,096",
        "1,234,568",
        "12.3",
        "30,000",
        "445",
        "3.46",
        "12.0 s after import",
        "needs optax",
    ):
        assert text in shown


def test_the_table_needs_no_rich(result, capsys, monkeypatch):
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    result_tables.show(result)
    assert "1,234,568" in capsys.readouterr().out


def test_the_file_is_written_whole(result, tmp_path):
    path = tmp_path / "new" / "bench.json"
    result_tables.check_writable(path)
    result_tables.write(result, path)
    written = json.loads(path.read_text())
    assert written["schema"] == result_tables.SCHEMA
    assert written["rows"][0]["steps_per_second"] == ROW["steps_per_second"]
    assert {"date", "commit", "machine", "versions", "settings"} <= set(written)
    assert [p.name for p in path.parent.iterdir()] == ["bench.json"]


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            ["--kinds", "worlds,words"],
            "there is no kind 'words'; the kinds are worlds, policy, gymnasium, start, training, equality",
        ),
        (["--sizes", "0"], "a batch size must be 1 to 67108864, not 0"),
        (["--runs", "0"], "runs must be 1 to 1000000, not 0"),
        (["--id", "OpenWorld-v7"], "did you mean OpenWorld-v0"),
        (["--id", "OpenWorld-v0", "OpenWorld-v0"], "give each id once, not OpenWorld-v0, OpenWorld-v0"),
        (["--json", "/dev/null/a.json"], "/dev/null"),
    ],
)
def test_mistakes_are_reported_in_one_line(words, message, capsys):
    assert run.main(words) == 2
    error = capsys.readouterr().err
    assert message in error
    assert error.count("\n") == 1


def test_it_needs_neither_gymnasium_nor_tyro_nor_rich():
    blocked = (
        "import sys; sys.modules.update(dict.fromkeys(('gymnasium', 'tyro', 'rich', 'openworld_trainers')))\n"
    )
    code = (
        "import openworld.bench.worlds, openworld.bench.gymnasium, openworld.bench.run as r; "
        "r.main(['--runs', '0'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "runs must be 1" in done.stderr


def test_help_is_fast_and_complete():
    done = subprocess.run(
        [sys.executable, "-m", "openworld.bench", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--suite", "--sizes", "--kinds", "--json", "--observation", "--budget-seconds", "--dump"):
        assert option in done.stdout


def gpu(**changes) -> Settings:
    return settings(**{"suite": "gpu", "kinds": suites.GPU_KINDS, "sizes": (2**20, 2**15), **changes})


def test_the_suite_for_a_gpu_measures_the_most_telling_first():
    ids = ("OpenWorld-v0", "OpenWorld-Classic-v0")
    order = plans.plan(gpu(ids=ids, compared=(*ids, "OpenWorld-Endless-v0")))
    assert order[:4] == [
        ("OpenWorld-v0", "worlds", 2**20),
        ("OpenWorld-v0", "training", 2**20),
        ("OpenWorld-v0", "policy", 2**20),
        ("OpenWorld-v0", "equality", len(SAMPLE)),
    ]
    assert len(set(order)) == len(order)
    assert [id for id, kind, _ in order if kind == "equality"] == [*ids, "OpenWorld-Endless-v0"]
    assert {(id, size) for id, kind, size in order if kind == "worlds"} == {
        (id, size) for id in ids for size in (2**20, 2**15)
    }
    assert [size for _, kind, size in order if kind == "policy"] == [2**20, 2**16]
    assert plans.profiled(gpu(), 2**20)
    assert not plans.profiled(gpu(), 2**15)
    assert plans.main_size(gpu(sizes=(2**21,))) == 2**21


def test_each_suite_has_its_own_settings(monkeypatch):
    monkeypatch.setenv("XLA_PYTHON_CLIENT_MEM_FRACTION", "0.5")
    for words, expected in (
        ([], ("cpu", ("OpenWorld-v0",), 5, None, ())),
        (["--suite", "gpu"], ("gpu", ("OpenWorld-v0", "OpenWorld-Classic-v0"), 3, 520.0, tuple(EVERY))),
        (
            ["--suite", "gpu", "--id", "OpenWorld-v0", "--runs", "2", "--budget-seconds", "9"],
            ("gpu", ("OpenWorld-v0",), 2, 9.0, ("OpenWorld-v0",)),
        ),
    ):
        made = run._settings(run._parser().parse_args(words))
        assert (made.suite, made.ids, made.runs, made.budget_seconds, made.compared) == expected
        assert made.kinds == suites.SUITES[made.suite].kinds


EVERY = ("OpenWorld-v0", "OpenWorld-Classic-v0", "OpenWorld-Endless-v0")


def test_what_would_take_too_long_is_left_out_and_the_file_is_always_whole(monkeypatch, tmp_path, capsys):
    path, seen = tmp_path / "bench.json", []

    def measured(settings, id, kind, size, reference):
        seen.append(json.loads(path.read_text())["rows"] if path.exists() else None)
        return {**ROW, "worlds": size, "kind": kind}

    monkeypatch.setattr(run, "_measure_one", measured)
    monkeypatch.setattr(measure, "memory_bandwidth", lambda: 1e9)
    monkeypatch.setattr(plans, "EXPECTED", {"worlds": 10.0, "training": 1e6})
    words = ["--suite", "gpu", "--kinds", "worlds,training", "--sizes", "8", "4", "--id", "OpenWorld-v0"]
    assert run.main([*words, "--json", str(path)]) == 0
    assert [rows and len(rows) for rows in seen] == [None, 1]
    result = json.loads(path.read_text())
    assert [row["worlds"] for row in result["rows"]] == [8, 4]
    assert result["left_out"] == ["OpenWorld-v0: training, 8 worlds: too little of the 520 s was left"]
    assert result["rows"][0]["least_bytes"]["rollout"] > 500
    assert result["rows"][0]["bandwidth_share"] > 0
    assert "of the speed that the device's memory allows" in capsys.readouterr().out


def test_the_suite_for_a_gpu_goes_on_after_an_error(monkeypatch, capsys):
    def broken(settings, id, kind, size, reference):
        if kind == "worlds":
            raise RuntimeError("something else")
        return {**ROW, "kind": kind}

    monkeypatch.setattr(run, "_measure_one", broken)
    monkeypatch.setattr(measure, "memory_bandwidth", lambda: None)
    words = ["--suite", "gpu", "--kinds", "worlds,training", "--sizes", "8", "--id", "OpenWorld-v0"]
    assert run.main(words) == 1
    shown = capsys.readouterr().out
    assert "failed: OpenWorld-v0: worlds, 8 worlds: RuntimeError: something else" in shown
    assert "training" in shown


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


def test_every_bit_of_a_world_counts_in_its_fingerprint():
    tree = {"a": jnp.zeros((5, 3), jnp.uint8), "b": jnp.zeros(5, jnp.float32), "c": jnp.zeros((5, 2), bool)}
    before = equality.fingerprint(tree)
    for name, value in (("a", 1), ("b", -0.0), ("c", True)):
        leaf = tree[name]
        where = (2, 1) if leaf.ndim == 2 else 2
        after = equality.fingerprint({**tree, name: leaf.at[where].set(jnp.asarray(value, leaf.dtype))})
        assert np.flatnonzero(np.asarray(after != before)).tolist() == [2]
    swapped = {**tree, "a": tree["a"].at[:, 0].set(1)}, {**tree, "a": tree["a"].at[:, 1].set(1)}
    assert not np.any(np.asarray(equality.fingerprint(swapped[0]) == equality.fingerprint(swapped[1])))


def test_differences_are_reported_by_step_and_world(tmp_path):
    ours = np.arange(12, dtype=np.uint32).reshape(4, 3)
    theirs = ours.copy()
    assert equality.difference(ours, theirs)["same"]
    theirs[2:, 1] += 1
    found = equality.difference(ours, theirs)
    assert found == {"same": False, "worlds_that_differ": 1, "first_step_that_differs": 2}
    row = {"platforms": ["gpu", "cpu"], "worlds": 3, "steps": 4, "told": found, "states": found}
    assert result_tables.equal(row).endswith("NOT the same: 1 worlds differ, the first in step 2")


def test_large_batches_are_compared_with_the_sample_once_it_is_there():
    reference = equality.Reference(settings())
    words = np.arange(300 * len(SAMPLE), dtype=np.uint32).reshape(300, -1)
    few = sum(number < 4 for number in SAMPLE)
    digest = equality.digest(words[equality.CHECKED_AT - 1, :few])
    rows = [
        {**ROW, "id": "a", "check": {"step": 64, "worlds": few, "digest": given, "same": None}}
        for given in (digest, "0")
    ]
    with reference:
        reference.check(rows)
        assert [row["check"]["same"] for row in rows] == [None, None]
        np.savez(Path(reference._folder.name) / "a.npz", states=words, outputs=words)
        reference.check(rows)
    assert [row["check"]["same"] for row in rows] == [True, False]
    assert "the same as a CPU's" in next(result_tables.notes(rows[0]))


def test_the_sample_reaches_the_last_world_of_each_power_of_two():
    assert list(SAMPLE) == sorted(set(SAMPLE))
    assert {2**power - 1 for power in range(22)} <= set(SAMPLE)


def test_the_trainer_is_measured(monkeypatch):
    def trainer(id, size):
        def program(learner, rate):
            return jax.tree.map(lambda x: x + rate, learner), jnp.float32(0)

        return program, lambda: jnp.zeros(size), {"learning_rate": 0.5, "steps": ppo_updates.STEPS}

    monkeypatch.setattr(ppo_updates, "_trainer", trainer)
    row = ppo_updates.update(settings(runs=3), "OpenWorld-v0", 8)
    assert row["kind"] == "training"
    assert row["lowest"] <= row["steps_per_second"] <= row["highest"]
    assert row["steps_per_second"] == pytest.approx(sorted(row["runs"])[1])
    assert result_tables.cells(row)[1] == "8"


def test_the_trainer_has_what_is_measured():
    pytest.importorskip("optax")
    world = openworld.make("OpenWorld-Classic-v0")
    choose, _ = worlds.policy(world)
    obs, state = jax.eval_shape(lambda: world.reset(0, 4))
    action = jax.eval_shape(choose, jax.ShapeDtypeStruct((), jnp.int32), obs, state)
    assert (action.shape, action.dtype) == ((4,), jnp.int32)
    program, make, facts = ppo_updates._trainer("OpenWorld-Classic-v0", 64)
    assert callable(program)
    assert facts["minibatch_size"] * ppo_updates.MINIBATCHES == 64 * ppo_updates.STEPS
    assert jax.tree.leaves(jax.eval_shape(make))
