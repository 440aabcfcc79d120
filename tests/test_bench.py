"""The benchmark measures, says what it left out, and writes what it found."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from openworld import bench
from openworld.bench import Settings, machine, report

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
    facts = machine.facts()
    return {
        **facts,
        "settings": report.plain(settings()),
        "rows": [ROW, START],
        "left_out": ["policy: needs optax"],
    }


@pytest.mark.slow
def test_worlds_are_measured():
    # The classic world: it compiles fastest, and the cache of compiled programs is no help here.
    told = []
    result = bench.measure(settings(ids=("OpenWorld-Classic-v0",)), told.append)
    (row,) = result["rows"]
    assert told == ["measuring OpenWorld-Classic-v0: worlds, 4 worlds"]
    assert row["id"] == "OpenWorld-Classic-v0"
    assert row["lowest"] <= row["steps_per_second"] <= row["highest"]
    assert len(row["runs"]) == 2
    assert row["bytes_per_observation"] == 307
    assert 4_096 < row["bytes_per_world"] <= 6 * 1024
    assert row["compile_seconds"] > 0
    assert result["left_out"] == []
    json.dumps(result)


def test_several_ids_are_measured_one_after_the_other(monkeypatch, capsys):
    speeds = {"OpenWorld-v0": 1e6, "OpenWorld-Classic-v0": 2e6, "OpenWorld-Endless-v0": 3e6}

    def measured(settings, id, kind, size):
        return START if kind == "start" else {**ROW, "id": id, "steps_per_second": speeds[id]}

    monkeypatch.setattr(bench, "_measure_one", measured)
    words = ["--kinds", "worlds,start", "--sizes", "4", "8"]
    for ids in (["OpenWorld-Classic-v0", "OpenWorld-v0"], ["all"]):
        assert bench.main([*words, "--id", *ids]) == 0
        shown = capsys.readouterr()
        named = list(speeds) if ids == ["all"] else ids
        heads = [line.split(",")[0] for line in shown.out.splitlines() if line.startswith("OpenWorld-")]
        assert heads == named
        assert [f"{speeds[id]:,.0f}" in shown.out for id in named] == [True] * len(named)
        assert shown.err.count("measuring") == 3 * len(named)


def test_what_is_not_installed_is_left_out(monkeypatch):
    def missing(*_):
        raise ModuleNotFoundError("No module named 'trainers'", name="trainers")

    monkeypatch.setattr(bench, "_measure_one", missing)
    result = bench.measure(settings(kinds=("policy",)))
    assert result["rows"] == []
    assert result["left_out"] == ["OpenWorld-v0: policy: needs trainers, which is not installed"]


def test_too_large_a_batch_is_left_out(monkeypatch):
    def full(*_):
        raise RuntimeError("RESOURCE_EXHAUSTED: out of memory")

    monkeypatch.setattr(bench, "_measure_one", full)
    result = bench.measure(settings())
    assert result["left_out"] == ["OpenWorld-v0: worlds, 4 worlds: the device has too little memory"]


def test_other_errors_are_not_hidden(monkeypatch):
    def broken(*_):
        raise RuntimeError("something else")

    monkeypatch.setattr(bench, "_measure_one", broken)
    with pytest.raises(RuntimeError, match="something else"):
        bench.measure(settings())


def test_the_facts_are_complete():
    facts = machine.facts()
    assert facts["machine"]["processor"]
    assert facts["machine"]["cores"] >= 1
    assert facts["devices"] == ["cpu: cpu"] * len(facts["devices"])
    assert {"python", "jax", "jaxlib", "numpy"} <= set(facts["versions"])
    assert facts["date"].endswith("+00:00")


def test_the_table_has_every_number(result, capsys):
    report.show(result)
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
    report.show(result)
    assert "1,234,568" in capsys.readouterr().out


def test_the_file_is_written_whole(result, tmp_path):
    path = tmp_path / "new" / "bench.json"
    report.check_writable(path)
    report.write(result, path)
    written = json.loads(path.read_text())
    assert written["schema"] == report.SCHEMA
    assert written["rows"][0]["steps_per_second"] == ROW["steps_per_second"]
    assert {"date", "commit", "machine", "versions", "settings"} <= set(written)
    assert [p.name for p in path.parent.iterdir()] == ["bench.json"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (
            ["--kinds", "worlds,words"],
            "there is no kind 'words'; the kinds are worlds, policy, gymnasium, start",
        ),
        (["--sizes", "0"], "batch sizes must be at least 1, not 0"),
        (["--runs", "0"], "runs and seconds must be above 0"),
        (["--id", "OpenWorld-v7"], "did you mean OpenWorld-v0"),
        (["--id", "OpenWorld-v0", "OpenWorld-v0"], "give each id once, not OpenWorld-v0, OpenWorld-v0"),
        (["--json", "/dev/null/a.json"], "/dev/null"),
    ],
)
def test_mistakes_are_told_in_one_line(words, told, capsys):
    assert bench.main(words) == 2
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_it_needs_neither_gymnasium_nor_tyro_nor_rich():
    blocked = "import sys; sys.modules.update(dict.fromkeys(('gymnasium', 'tyro', 'rich', 'trainers')))\n"
    code = (
        "import openworld.bench.worlds, openworld.bench.faces, openworld.bench as b; b.main(['--runs', '0'])"
    )
    done = subprocess.run(
        [sys.executable, "-c", blocked + code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert "runs and seconds" in done.stderr


def test_help_is_fast_and_complete():
    done = subprocess.run(
        [sys.executable, "-m", "openworld.bench", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for option in ("--suite", "--sizes", "--kinds", "--json", "--observation"):
        assert option in done.stdout
