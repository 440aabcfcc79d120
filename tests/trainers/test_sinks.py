"""What a run leaves on disk survives a crash, and what it shows can be read."""

import io
import json
import os

import matplotlib.image
import numpy as np
import pytest
from rich.console import Console

from openworld_trainers import errors
from openworld_trainers.analysis.formatting import format_duration, format_number, format_short
from openworld_trainers.analysis.learning_curve import drawable, thinned
from openworld_trainers.errors import MissingPackageError, TrainerError, require
from openworld_trainers.run.folder import RunFolder, RunFolderError, plain
from openworld_trainers.run.progress import Display, line, panel

ROW = {
    "update": 3,
    "transitions": 1_234_567,
    "steps_per_second": 20_500.0,
    "return": 1.5,
    "length": 200.0,
    "achievements": {"collect_wood": 0.5, "eat_cow": 0.0, "wake_up": 1.0},
}


@pytest.fixture
def folder(tmp_path):
    folder = RunFolder(tmp_path / "run")
    folder.create({"config": {}})
    return folder


def test_numbers_that_are_none_become_null(folder):
    folder.append({"update": 1, "return": float("nan"), "deep": {"worst": float("inf")}})
    assert folder.metrics() == [{"update": 1, "return": None, "deep": {"worst": None}}]


def test_a_line_cut_short_is_left_out_and_written_over(folder):
    for update in (1, 2, 3):
        folder.append({"update": update})
    path = folder.path / "metrics.jsonl"
    path.write_text(path.read_text()[:-4])
    assert [row["update"] for row in folder.metrics()] == [1, 2]
    folder.forget_after(1)
    folder.append({"update": 2})
    rows = [json.loads(line) for line in path.read_text().splitlines()]
    assert [sorted(row) for row in rows] == [["checksum", "update"]] * 2
    assert folder.metrics() == [{"update": 1}, {"update": 2}]


def test_settings_name_versions_and_machine_but_nobody(folder):
    record = json.loads((folder.path / "config.json").read_text())
    assert {"python", "jax", "numpy", "equinox", "optax"} <= set(record["versions"])
    assert set(record["machine"]) == {"system", "cores", "devices"}
    assert record["format"] == 4


def test_settings_of_another_format_are_refused(folder):
    path = folder.path / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 7}))
    with pytest.raises(RunFolderError, match=r"later state of openworld 0\.1\.0 \(.*format 7\); this"):
        folder.read_settings()


def test_settings_that_were_edited_are_refused(folder):
    path = folder.path / "config.json"
    record = json.loads(path.read_text())
    path.write_text(json.dumps(record | {"config": {"network": {"activation": "tanh"}}}))
    with pytest.raises(RunFolderError, match="is damaged: its checksum is not that of its content"):
        folder.read_settings()


@pytest.mark.parametrize("number", [1, 2, 3])
def test_settings_of_earlier_versions_are_refused_in_a_line_that_names_the_version(folder, number):
    path = folder.path / "config.json"
    path.write_text(
        json.dumps({"format": number, "versions": {"openworld": "0.1.0"}, "commit": "0a1b2c3d4e5f"})
    )
    with pytest.raises(RunFolderError) as caught:
        folder.read_settings()
    assert str(caught.value) == (
        f"{path} was made by an earlier state of openworld 0.1.0 (commit 0a1b2c3d4e, format {number}); the "
        f"settings of this version have other names (format 4), so it cannot be read: use that state, or "
        "train again"
    )


def test_rows_that_were_edited_are_left_out_and_those_of_earlier_versions_are_read(folder):
    path = folder.path / "metrics.jsonl"
    path.write_text('{"update": 1, "return": 2.5}\n{"update": 2}\n')
    assert folder.metrics() == [{"update": 1, "return": 2.5}, {"update": 2}]
    folder.forget_after(2)
    assert len(folder.metrics()) == 2
    path.write_text(path.read_text().replace("2.5", "9.5"))
    assert folder.metrics() == [{"update": 2}]
    path.write_text(path.read_text() + "[" * 100_000 + "\n" + '{"update": 3}\n')
    assert folder.metrics() == [{"update": 2}]


def test_a_folder_with_the_metrics_of_another_is_left_alone(tmp_path):
    (tmp_path / "metrics.jsonl").write_text("mine")
    with pytest.raises(RunFolderError, match=r"metrics\.jsonl exists already, without a config\.json"):
        RunFolder(tmp_path).create({})
    assert (tmp_path / "metrics.jsonl").read_text() == "mine"
    (tmp_path / "run" / "checkpoints" / "0000000007").mkdir(parents=True)
    with pytest.raises(RunFolderError, match="checkpoints is not empty"):
        RunFolder(tmp_path / "run").create({})


def test_a_folder_that_cannot_be_made_is_said_to_be(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(RunFolderError, match="no run can be kept in"):
        RunFolder(tmp_path / "file" / "run").create({})


def test_a_curve_is_drawn_when_it_can_be(folder, monkeypatch):
    assert folder.draw() == "no learning curve: no episode has ended yet"
    folder.append(ROW)
    folder.append({**ROW, "transitions": 2_000_000, "achievements": {"new": 0.1}})
    assert folder.draw() == str(folder.path / "learning_curve.png")
    assert (folder.path / "learning_curve.png").read_bytes()[:4] == b"\x89PNG"
    monkeypatch.setattr("openworld_trainers.run.folder.installed", lambda module: False)
    assert ".[plots]" in folder.draw()


def blue_points(path):
    """Pixels in the colour of the return, left of the middle and right of it."""
    picture = matplotlib.image.imread(path)[..., :3]
    blue = np.abs(picture - np.array([31, 119, 180]) / 255).max(axis=-1) < 0.02
    middle = picture.shape[1] // 2
    return int(blue[:, :middle].sum()), int(blue[:, middle:].sum())


def test_a_curve_of_one_row_is_a_point(folder):
    folder.append(ROW)
    folder.draw()
    left, right = blue_points(folder.path / "learning_curve.png")
    # A mark of 5 points at 110 dots an inch has a diameter of some 8 pixels.
    assert 30 < left < 100
    assert right > 30


def test_an_achievement_that_the_last_row_lacks_is_drawn(folder):
    folder.append({**ROW, "achievements": {"collect_wood": 0.5}})
    folder.append({**ROW, "transitions": 2_000_000, "achievements": {"collect_wood": 0.0}})
    folder.draw()
    assert blue_points(folder.path / "learning_curve.png")[1] > 30


def test_rows_that_show_nothing_are_left_out_of_a_curve(folder):
    wrong = [{"return": None}, {"return": "x"}, {"transitions": None}, {"achievements": {"a": None}}]
    for each in (*wrong, {"achievements": [1]}, {"achievements": {"a": {}}}):
        folder.append({**ROW, **each})
    assert folder.draw() == "no learning curve: no episode has ended yet"
    folder.append({**ROW, "achievements": {}})
    assert folder.draw() == str(folder.path / "learning_curve.png")


def test_a_curve_is_thinned_by_means_over_episodes():
    rows = [
        {
            "transitions": n,
            "return": float(n),
            "episodes": 1 + 2 * (n % 2),
            "achievements": {"a": n % 2 * 1.0},
        }
        for n in range(4)
    ]
    found = thinned(rows, 2)
    assert [row["transitions"] for row in found] == [1, 3]
    assert [row["return"] for row in found] == [0.75, 2.75]
    assert [row["achievements"]["a"] for row in found] == [0.75, 0.75]
    assert [row["return"] for row in thinned(rows, 100)] == [0, 1, 2, 3]


def test_plain_keeps_what_json_has():
    assert plain({"a": 1, "b": "x", "c": [1.5], "d": None}) == {"a": 1, "b": "x", "c": [1.5], "d": None}


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (999, "999"), (1234, "1.23k"), (1.5e6, "1.5M"), (2e9, "2G"), (1e12, "1T")]
)
def test_large_numbers_are_short(value, shown):
    assert format_short(value) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "0:00"), (75.2, "1:15"), (3700.0, "1:01:40"), (float("inf"), "-"), (float("nan"), "-")],
)
def test_time_is_shown_as_a_clock(seconds, shown):
    assert format_duration(seconds) == shown


def test_what_is_not_known_yet_is_a_dash():
    assert [format_number(None), format_number(float("nan")), format_number(1.234)] == ["-", "-", "1.23"]


def test_a_line_tells_speed_return_achievements_and_time_left():
    said = line(ROW, 0.25, 60.0)
    for part in (
        "25.0 %",
        "1.23M transitions",
        "20.5k steps/s",
        "return 1.50",
        "1.5 achievements",
        "1:00 left",
    ):
        assert part in said


def test_without_a_terminal_lines_come_now_and_then(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("openworld_trainers.run.progress.time.monotonic", lambda: now[0])
    out = io.StringIO()
    with Display("title", Console(file=out, width=200)) as display:
        for now[0] in (0.0, 1.0, 2.0, 20.0, 21.0):
            display.show(ROW, 0.5, 10.0)
        display.show(ROW, 1.0, 0.0, last=True)
    assert len(out.getvalue().splitlines()) == 3


def test_on_a_terminal_a_panel_is_live():
    out = io.StringIO()
    with Display("the title", Console(file=out, width=100, force_terminal=True)) as display:
        display.show(ROW, 0.5, 10.0)
        display.say("a line that stays")
    shown = out.getvalue()
    for part in ("the title", "a line that stays", "collect wood", "steps/s", "time left"):
        assert part in shown
    assert "eat cow" not in shown


def test_a_panel_has_room_for_an_odd_number_of_achievements():
    console = Console(file=io.StringIO(), width=100)
    console.print(panel("title", {**ROW, "achievements": {"one": 0.3}}, 0.1, 5.0))
    assert "30.0 %" in console.file.getvalue()


def test_a_missing_package_is_named_with_the_way_to_get_it():
    with pytest.raises(MissingPackageError) as refusal:
        require("train", "json", "no_such_package", "no_such_parent.child", purpose="training")
    assert str(refusal.value) == (
        'training needs no-such-package and no-such-parent-child: pip install ".[train]" in the checkout'
    )
    assert isinstance(refusal.value, TrainerError)
    assert isinstance(refusal.value, ImportError)
    assert errors.installed("json")


@pytest.mark.parametrize(
    "wrong", [{"episodes": None}, {"episodes": "x"}, {"return": True}, {"achievements": [1]}]
)
def test_a_row_that_cannot_be_drawn_is_left_out(wrong):
    row = {"update": 1, "transitions": 256, "return": 1.0, "episodes": 3, "achievements": {"a": 0.5}}
    assert drawable(row)
    assert not drawable(row | wrong)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no FIFOs here")
def test_a_curve_is_not_drawn_into_a_pipe(tmp_path):
    folder = RunFolder(tmp_path)
    folder.append({"update": 1, "transitions": 256, "return": 1.0, "episodes": 1, "achievements": {}})
    os.mkfifo(tmp_path / "learning_curve.png")
    assert folder.draw().endswith("learning_curve.png is not a regular file")
