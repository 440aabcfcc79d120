"""The benchmark measures, says what it left out, and writes what it found."""

import gzip
import json
import subprocess
import sys
from pathlib import Path

import jax
import jax.numpy as jnp
import pytest

import openworld
from openworld.bench import plans, ppo_updates, result_tables, run, suites, worlds
from openworld.bench.plans import SAMPLE
from openworld.bench.roofline import measure
from openworld.bench.suites import Settings
from openworld.system import provenance
from tests.helpers_bench import ROW, START, settings

ROOT = Path(__file__).parent.parent


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
    for option in (
        "--suite",
        "--sizes",
        "--kinds",
        "--worlds",
        "--out",
        "--json",
        "--observation",
        "--budget-seconds",
        "--dump",
    ):
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
