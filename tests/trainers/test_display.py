"""What a run shows of its instruments while it runs."""

import io
import re
import time
import unicodedata

import numpy as np
import pytest
from rich.console import Console

from openworld_trainers.analysis.formatting import format_percent, format_short, format_small, format_verdict
from openworld_trainers.analysis.rows import is_number, numeric_rows
from openworld_trainers.analysis.trend import judge
from openworld_trainers.ppo.config import Config, to_dict
from openworld_trainers.run import progress as module
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.progress import Display, Past, panel, sparkline
from tests.test_foreign_text import HOSTILE


def row(update, value, **more):
    return {
        "update": update,
        "transitions": 65536 * update,
        "steps_per_second": 2.0e6,
        "return": value,
        "length": 200.0,
        "episodes": 40,
        "entropy": 1.234,
        "clip_fraction": 0.043,
        "outside_clip": 0.087,
        "gradient_norm": 0.4273,
        "kl_old_new": 0.00738,
        "ratio_min": 0.717,
        "ratio_max": 1.361,
        "explained_variance": 0.449,
        "data_per_divergence": 2220088.5,
        "dead_units": 0.0125,
        "gradient_signal": 1e-3,
        "gradient_noise": 1e-3 * 65536 * 5,
        "achievements": {"collect_wood": 0.5},
        **more,
    }


def plateau(count=400):
    rng = np.random.default_rng(2)
    return [row(n + 1, float(value)) for n, value in enumerate(rng.standard_normal(count))]


def shown(display, rows, **console):
    display.console = Console(file=io.StringIO(), width=100, **console)
    for number, each in enumerate(rows):
        display.show(each, 0.5, 10.0, last=number == len(rows) - 1)
    return display.console.file.getvalue()


def test_the_panel_shows_every_instrument_and_the_verdict_with_its_advice():
    rows = plateau()
    out = io.StringIO()
    console = Console(file=out, width=100, force_terminal=True, color_system=None)
    with Display("title", console, to_dict(Config()), rows[:-1]) as display:
        display.show(rows[-1], 0.5, 10.0, last=True)
    text = out.getvalue()
    parts = (
        "0.0074 nats",
        "0.72 .. 1.36",
        "4.3 %",
        "8.7 %",
        "2.22M",
        "5 updates",
        "0.43",
        "1.23 nats",
        "44.9 %",
    )
    for part in (
        *parts,
        "1.2 %",
        "flat: return",
        "try more worlds: 1,024 -> 8,192",
        "or a smaller step",
        "█",
    ):
        assert part in text
    assert max(len(line) for line in text.splitlines()) <= 100


def test_a_panel_without_instruments_has_dashes():
    console = Console(file=io.StringIO(), width=80)
    bare = {"transitions": 1, "steps_per_second": 1.0, "return": None, "length": None}
    console.print(panel("title", bare, 0.0, float("inf"), Past()))
    text = console.file.getvalue()
    assert "outer step" in text
    assert "nan" not in text
    assert "None" not in text


def test_the_last_plain_line_is_followed_by_the_verdict():
    rows = plateau()
    display = Display("title", Console(file=io.StringIO()), to_dict(Config()))
    lines = shown(display, rows).splitlines()
    assert lines[-6].startswith("flat: return ")
    assert lines[-5].startswith("the noise scale is 5 times")
    assert lines[-4].startswith("try more worlds")
    assert lines[-7].endswith("0:10 left  flat")


def test_updates_made_again_after_a_resume_count_once():
    rows = plateau(60)
    display = Display("title", Console(file=io.StringIO()), history=rows)
    shown(display, rows[40:])
    assert [each["transitions"] for each in display.rows] == [each["transitions"] for each in rows]


def test_what_an_update_does_not_measure_is_shown_as_last_measured():
    display = Display("title", Console(file=io.StringIO()))
    missing = dict.fromkeys(("kl_old_new", "gradient_noise", "gradient_signal"), float("nan"))
    shown(display, [row(1, 1.0, kl_old_new=0.125), *[row(n, 1.0, **missing) for n in range(2, 300)]])
    assert display.measured["kl_old_new"] == 0.125
    assert display.noise() == pytest.approx(5)


def test_the_noise_scale_is_that_of_the_latest_updates():
    display = Display("title", Console(file=io.StringIO()))
    assert display.noise() is None
    shown(display, [row(n, 1.0, gradient_noise=None, gradient_signal=None) for n in (1, 2)])
    assert display.noise() is None
    shown(display, [row(n, 1.0) for n in range(3, 9)])
    assert display.noise() == pytest.approx(5)
    shown(display, [row(9, 1.0, gradient_signal=-1.0)])
    assert display.noise() == np.inf


def test_an_improving_run_gets_no_advice():
    verdict = judge([row(n + 1, n / 10) for n in range(100)], to_dict(Config()))
    assert format_verdict(verdict) == [verdict.sentence()]
    assert verdict.sentence() == "improving: return +3.1 [+3.1, +3.1] over the last 2.032 M transitions"


def test_a_curve_in_text():
    assert sparkline([0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 6.0, 7.0], 8) == "0.00 ▁▂▃▄▅▆▇█ 7.00"
    assert sparkline([0.0, 2.0, 10.0, 12.0], 2) == "1.00 ▁█ 11.00"
    assert sparkline([2.0, 2.0], 8) == "2.00 ▁▁ 2.00"
    assert sparkline([2.0], 8) == ""


def test_numbers_are_as_long_as_they_need_to_be():
    assert [format_small(0.00738), format_small(2e-7), format_small(None), format_small(float("nan"))] == [
        "0.0074",
        "2e-07",
        "-",
        "-",
    ]
    assert [format_percent(0.043), format_percent(None), format_percent(float("inf"))] == ["4.3 %", "-", "-"]
    assert [format_short(1.5), format_short(0.25, 2), format_short(None), format_short(float("inf"))] == [
        "1.5",
        "0.25",
        "-",
        "many",
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_foreign_text_cannot_steer_the_terminal(text):
    console = Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)
    newest = plateau(1)[0] | {"achievements": {text: 0.5}}
    with Display(text, console) as display:
        display.say(text)
        display.show(newest, 0.5, 10.0, last=True)
    said = re.sub(r"\x1b\[(\?25[lh]|\d*[A-K]|0?m|\d+m)|[\r\n]", "", console.file.getvalue())  # rich's own
    assert not {unicodedata.category(letter) for letter in said} & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}


def test_rows_of_a_file_are_cleaned():
    rows = [{"transitions": "1"}, {"transitions": 10**309}, {"transitions": True}, {"return": 1.0}]
    rows += [
        {
            "transitions": 5,
            "return": 10**309,
            "episodes": "x",
            "length": 2.5,
            "achievements": {"a": 1, "b": "c"},
        }
    ]
    assert list(numeric_rows(rows)) == [{"transitions": 5, "length": 2.5, "achievements": {"a": 1}}]
    assert [
        is_number(value)
        for value in (1, 1.5, 10**309, -(10**309), float("inf"), float("nan"), True, "1", None)
    ] == [
        *(True, True),
        *[False] * 7,
    ]


def terminal():
    return Console(file=io.StringIO(), width=100, force_terminal=True, color_system=None)


def test_the_bar_of_a_whole_job_goes_on_after_training():
    phases = Phases(training=240.0, evaluation=70.0, video=40.0)
    assert phases.describe("training", 0.5) == "step 1 of 3: training, 34 % of all"
    assert phases.describe("training", 1.0) == "step 1 of 3: training, 68 % of all"
    assert phases.describe("video", 0.99) == "step 3 of 3: video, 99 % of all"
    shares = [
        phases.done(name, share) for name in ("training", "evaluation", "video") for share in (0.0, 1.0)
    ]
    assert shares == pytest.approx([0, 24 / 35, 24 / 35, 31 / 35, 31 / 35, 1])
    console = terminal()
    with Display("title", console, step=(phases, "training")) as display:
        display.show(row(1, 1.0), 1.0, 0.0, last=True)
    assert "100.0 %  time left 0:00" in console.file.getvalue()
    assert "step 1 of 3: training, 68 % of all" in console.file.getvalue()
    console = terminal()
    with Display("title", console, step=(phases, "evaluation")) as display:
        display.doing("the random agent plays: step 100", 0.75)
    text = console.file.getvalue()
    assert re.search(r"the random agent plays: step 100 +0:00", text)
    assert "step 2 of 3: evaluation, 83 % of all" in text
    # The same as lines.
    assert shown(Display("title", step=(phases, "training")), [row(1, 1.0)]).startswith(
        "step 1 of 3: training, 34 % of all:  50.0 %"
    )


def test_a_long_call_is_told_of_now_and_then_where_there_is_no_terminal(monkeypatch):
    monkeypatch.setattr(module, "PLAIN_SECONDS", 0.2)
    out = io.StringIO()
    with Display("title", Console(file=out)) as display:
        display.doing("compiling")
        time.sleep(0.7)
        display.doing("")
        time.sleep(0.4)
    lines = out.getvalue().splitlines()
    assert lines[0] == "compiling"
    assert set(lines[1:]) == {"compiling (0:00)"}
    assert 2 <= len(lines[1:]) <= 4


def test_without_finished_episodes_there_is_a_dash_and_no_zero():
    bare = row(1, None, length=float("nan"), achievements={}, episodes=0)
    said = shown(Display("title"), [bare])
    assert "return -  length -  - achievements an episode" in said
    console = terminal()
    console.print(panel("title", bare, 0.5, 10.0))
    values = console.file.getvalue().splitlines()[3].split()
    assert values == ["65.5k", "2M", "-", "-", "-"]
    assert "nan" not in said + console.file.getvalue()


def test_a_line_is_of_all_episodes_since_the_line_before():
    rows = [
        row(1, None, length=None, episodes=0, achievements={}),
        row(2, 1.0, episodes=1, achievements={"collect_wood": 1.0}),
        row(3, 4.0, episodes=2, length=50.0, achievements={"collect_wood": 0.25}),
        row(4, None, episodes=0, achievements={}),
    ]
    first, last = [text for text in shown(Display("title"), rows).splitlines() if "transitions" in text]
    assert "return -  length -  - achievements" in first
    assert "262k transitions" in last
    assert "return 3.00  length 100.00  0.5 achievements" in last


def test_the_panel_keeps_the_episodes_that_ended_last():
    console = terminal()
    with Display("title", console) as display:
        display.show(row(1, 1.25), 0.1, 10.0)
        display.show(row(2, 7.5, episodes=3, length=33.0), 0.2, 10.0)
        display.show(row(3, None, episodes=0, length=float("nan"), achievements={}), 0.3, 10.0)
    values = [text.split() for text in console.file.getvalue().splitlines() if text.startswith("197k")]
    assert values[-1] == ["197k", "2M", "7.50", "33", "0.50"]
