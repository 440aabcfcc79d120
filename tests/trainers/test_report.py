"""A report lays runs side by side, whole or cut short, and stands alone."""

import base64
import hashlib
import json
import re
import xml.etree.ElementTree as ET
from pathlib import Path

import numpy as np
import pytest

from openworld.system import checksums, foreign_text
from openworld_trainers.analysis.curves import PANELS, thinned
from openworld_trainers.analysis.report import classed
from openworld_trainers.errors import MissingPackageError, TrainerError
from openworld_trainers.ppo.config import Config, Rollout, Run, to_dict
from openworld_trainers.run.compare import short_names, write_report
from openworld_trainers.run.folder import RunFolder, RunFolderError
from openworld_trainers.run.folder import line_of as signed_line
from tests.test_foreign_text import HOSTILE, Tags


def make_run(path, worlds=1024, seed=0, updates=120, gain=4.0):
    """A run of our own making; it learns until its half."""
    config = Config(rollout=Rollout(worlds=worlds, steps=64), run=Run(seed=seed))
    folder = RunFolder(path)
    folder.create({"config": to_dict(config)})
    rng = np.random.default_rng(seed)
    for n in range(updates):
        folder.append(
            {
                "update": n + 1,
                "transitions": (n + 1) * config.rollout.batch,
                "seconds": 2.0 * (n + 1),
                "steps_per_second": 30_000.0,
                "return": float("nan")
                if n < 3
                else gain * min(1, 2 * n / updates) + 0.1 * rng.standard_normal(),
                "length": 200.0,
                "episodes": 0 if n < 3 else 50,
                "kl_old_new": 0.01,
                "data_per_divergence": 6.5e6,
                "explained_variance": 0.5,
                "entropy": 2.0,
                "dead_units": 0.01,
                "gradient_signal": 1e-3,
                "gradient_noise": 1e-3 * 3 * 65536,
                "achievements": {} if n < 3 else {"collect_wood": 0.75, "eat_<b>": 0.25},
            }
        )
    return path


@pytest.fixture(scope="module")
def runs(tmp_path_factory):
    base = tmp_path_factory.mktemp("runs")
    return [make_run(base / "small"), make_run(base / "large", worlds=4096, seed=1, gain=6.0)]


@pytest.fixture(scope="module")
def page(runs):
    return write_report(runs, runs[0].parent / "out" / "report.html").read_text()


def test_a_page_stands_alone(page):
    assert not re.search(r"<(script|link|iframe|img)|src=|@import|https?://(?!www.w3.org/)", page)
    assert page.count("<svg") == len(PANELS)


def test_svgs_are_well_formed_and_their_names_are_unique(page):
    for text in re.findall(r"<svg.*?</svg>", page, flags=re.DOTALL):
        ET.fromstring(text)
    found = re.findall(r'\bid="([^"]*)"', page)
    assert len(found) == len(set(found))
    used = re.findall(r'(?:xlink:href="|url\()#([^")]*)', page)
    assert set(used) <= set(found)


def test_a_page_tells_of_each_run(page):
    for text in ("small", "large", "7.86M", "31.5M", "flat: return", "try more worlds: 1,024 -&gt; 4,096"):
        assert text in re.sub("</?b>", "", page)
    for panel in PANELS:
        assert panel.title in page
    assert "not measured" not in page


def test_settings_that_differ_stand_apart_from_those_that_do_not(page):
    differ, same = page[page.index("<h2>Settings") :].split("<details>")
    assert re.findall(r"<tr><td>([a-z_.]+)</td><td>(.*?)</td><td>(.*?)</td></tr>", differ) == [
        ("rollout.worlds", "1024", "4096"),
        ("run.seed", "0", "1"),
    ]
    assert "<td>learning.epochs</td><td>4</td>" in same
    assert "versions.jax" in same


def test_achievements_are_escaped_and_sorted(page):
    found = page[page.index("<h2>Achievements") :]
    assert "<b>" not in found
    assert found.index("collect wood") < found.index("eat &lt;b&gt;")
    assert found.count("75.0 %") == found.count("25.0 %") == 2


def test_the_same_runs_give_the_same_page(runs, page):
    assert write_report(runs, runs[0].parent / "again.html").read_text() == page


def test_a_picture_by_its_ending(runs, tmp_path):
    out = write_report([str(run) for run in runs], str(tmp_path / "report.PNG"))
    assert out.read_bytes()[:4] == b"\x89PNG"
    assert [path.name for path in tmp_path.iterdir()] == ["report.PNG"]


def test_metrics_cut_in_a_line_are_read_up_to_it(tmp_path):
    run = make_run(tmp_path / "cut", updates=50)
    metrics = run / "metrics.jsonl"
    metrics.write_text(metrics.read_text()[:-40])
    page = write_report([run], tmp_path / "report.html").read_text()
    assert "OpenWorld: cut" in page
    assert "<td class=n>49</td>" in page


def test_a_run_that_has_only_begun_is_shown_as_such(tmp_path):
    page = write_report([make_run(tmp_path / "new", updates=0)], tmp_path / "report.html").read_text()
    assert page.count("not measured") == len(PANELS)
    assert "too little data" in page
    assert "No episode has ended yet" in page


def line_of(error, action):
    with pytest.raises(error) as refusal:
        action()
    assert "\n" not in str(refusal.value)
    return str(refusal.value)


@pytest.mark.parametrize("make", ["nothing", "folder", "file", "settings", "metrics"])
def test_what_is_no_run_is_refused_in_a_line_and_nothing_is_written(tmp_path, make):
    path, out = tmp_path / "run", tmp_path / "report.html"
    if make in ("folder", "settings", "metrics"):
        path.mkdir()
    if make == "file":
        path.write_text("")
    if make == "settings":
        (path / "config.json").write_text(json.dumps(checksums.added({"format": 4, "config": 3})))
    if make == "metrics":
        (path / "config.json").write_text(json.dumps(checksums.added({"format": 4, "config": {}})))
    message = line_of(RunFolderError, lambda: write_report([path], out))
    assert str(path) in message
    assert issubclass(RunFolderError, TrainerError)
    assert not out.exists()


def test_other_endings_and_no_runs_are_refused(runs, tmp_path):
    assert ".html or a .png" in line_of(ValueError, lambda: write_report(runs, tmp_path / "report.pdf"))
    assert "at least one" in line_of(ValueError, lambda: write_report([], tmp_path / "report.html"))


def test_a_missing_matplotlib_is_named(runs, tmp_path, monkeypatch):
    monkeypatch.setattr("openworld_trainers.errors.installed", lambda module: module != "matplotlib")
    message = line_of(MissingPackageError, lambda: write_report(runs, tmp_path / "report.html"))
    assert message == 'a report needs matplotlib: pip install ".[plots]" in the checkout'


def test_runs_are_named_by_as_much_of_their_path_as_tells_them_apart():
    assert short_names([Path("/a/x/run"), Path("/a/y/run")]) == ["x/run", "y/run"]
    assert short_names([Path("/a/x/one"), Path("/a/y/two")]) == ["one", "two"]


def test_curves_are_thinned_by_weighted_means():
    x = np.arange(480.0)
    y = np.where(np.arange(480) % 2, 4.0, np.nan)
    found = thinned(x, y, np.ones(480))
    assert len(found[0]) == 240
    assert (found[1] == 4).all()
    x, y = thinned(np.arange(480.0), np.arange(480) % 2 * 1.0, 1.0 + np.arange(480) % 2 * 2)
    assert y == pytest.approx(np.full(240, 0.75))


def test_settings_are_json_in_the_fixture(runs):
    assert json.loads((runs[0] / "config.json").read_text())["config"]["rollout"]["worlds"] == 1024


def with_names(path, text):
    """A run that has a text wherever a file can have one."""
    run = make_run(path, updates=40)
    record = json.loads((run / "config.json").read_text())
    record["config"]["env"]["id"] = text
    record["config"][f"a {text}"] = text
    record["config"]["run"][f"b {text}"] = [text, text]
    record["versions"][text] = text
    record["machine"] = {"system": text, f"c {text}": {text: text}}
    (run / "config.json").write_text(json.dumps(checksums.added(record)))
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for row in rows:
        row["achievements"] = {f"x{text}": 0.5, "other": 0.25}
        row[text] = text
    (run / "metrics.jsonl").write_text("".join(map(signed_line, rows)))
    return run


def test_foreign_names_stay_text_on_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "openworld_trainers.analysis.report.svg", lambda *_: "<svg></svg>"
    )  # names are not drawn in them
    harmless = write_report([with_names(tmp_path / "run", "harmless")], tmp_path / "a.html").read_text()
    for number, text in enumerate(HOSTILE):
        run = with_names(tmp_path / str(number) / "run", text[:9999])  # the file of settings has a bound
        page = write_report([run], tmp_path / "b.html").read_text()
        found = Tags(page)
        assert found.found == Tags(harmless).found, text
        assert page.count("\n") == harmless.count("\n")
        shown = foreign_text.plain(text)[:100]
        assert " ".join(shown.split()) in " ".join(found.text.split())
        assert not re.search(
            "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]", page
        )


def test_foreign_folders_stay_text_on_the_page(tmp_path, monkeypatch):
    monkeypatch.setattr("openworld_trainers.analysis.report.svg", lambda *_: "<svg></svg>")
    harmless = write_report([make_run(tmp_path / "b", updates=0)], tmp_path / "b.html").read_text()
    for text in HOSTILE:
        name = text.replace("/", "|").replace("\0", "").encode("utf-8", "replace").decode()[:60]
        page = write_report([make_run(tmp_path / f"x{name}", updates=0)], tmp_path / "a.html").read_text()
        assert Tags(page).found == Tags(harmless).found


@pytest.mark.parametrize("name", ["_first", "$\\frac{$", "a $x$ b", "\U0001f600", "\u202egnp"])
def test_any_name_can_be_drawn(tmp_path, name):
    out = write_report([make_run(tmp_path / name, updates=40)], tmp_path / "a.png")
    assert out.read_bytes()[:4] == b"\x89PNG"


def test_the_page_may_load_and_run_nothing_but_its_own_style(page):
    (policy,) = re.findall(r'<meta http-equiv="Content-Security-Policy" content="([^"]*)">', page)
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert sorted(policy.split("; ")) == [
        *("base-uri 'none'", "default-src 'none'", "form-action 'none'", "img-src data:"),
        f"style-src 'sha256-{digest}'",
    ]
    tags = Tags(page).found
    assert not {"script", "style", "link", "img", "iframe"} & set(tags) - {"style"}
    assert tags.count("style") == 1  # an element, and no attribute, which the policy would not apply
    assert page.index("Content-Security-Policy") < page.index("<style>")
    used = {name for names in re.findall(r'class="([^"]*)"', page) for name in names.split()}
    assert {name for name in used if re.fullmatch(r"s\d+", name)} == set(re.findall(r"\.(s\d+) \{", style))
    assert "background:rgba(0,114,178,0.338)" in style


def test_styles_become_classes():
    classes = {}
    markup = (
        '<td class=n style="a: b">1</td><i class="x" id="y" style="c: d"></i><p style="a: b"/> style="e: f"'
    )
    assert classed(markup, classes) == (
        '<td class="n s0">1</td><i class="x s1" id="y"></i><p class="s0"/> style="e: f"'
    )
    assert classes == {"a: b": "s0", "c: d": "s1"}


STRANGE = (None, True, 10**300, -(10**300), 1e308, -1.0, 0, "7", "", [], [1], {}, {"a": {"b": 1}})


def test_strange_values_are_shown_or_passed_over(tmp_path, monkeypatch):
    run = make_run(tmp_path / "run", updates=40)
    record = json.loads((run / "config.json").read_text())
    rows = (run / "metrics.jsonl").read_text().splitlines()
    monkeypatch.setattr("openworld_trainers.analysis.report.svg", lambda *_: "<svg></svg>")

    def shown(config, changed):
        strange = checksums.added(record | {"config": record["config"] | config})
        (run / "config.json").write_text(json.dumps(strange))
        (run / "metrics.jsonl").write_text("\n".join([*rows[:-1], signed_line(changed)]))
        assert "<h2>Verdicts" in write_report([run], tmp_path / "a.html").read_text()

    newest = json.loads(rows[-1])
    for value in STRANGE:
        shown({"env": value, "rollout": value, "learning": value}, newest)
        shown({"rollout": {"worlds": value, "steps": value}, "learning": {"epochs": value}}, newest)
        names = ("episodes", "return", "update", "seconds", "achievements", "gradient_noise")
        shown({}, newest | dict.fromkeys(names, value))
        shown({}, newest | {"transitions": value})


def test_curves_of_strange_rows_are_drawn(tmp_path):
    run = make_run(tmp_path / "run", updates=40)
    rows = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
    for number, value in enumerate(STRANGE):
        rows[10 + number] |= dict.fromkeys(
            ("return", "seconds", "kl_old_new", "gradient_noise", "dead_units"), value
        )
    (run / "metrics.jsonl").write_text("".join(map(signed_line, rows)))
    assert write_report([run], tmp_path / "a.html").read_text().count("<svg") == len(PANELS)
