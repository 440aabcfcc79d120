"""Verdicts on runs whose answer is known, and how often a plateau is called a trend."""

import numpy as np
import pytest

from openworld_trainers.analysis.advice import advise, anchored, factor_for, measured_noise
from openworld_trainers.analysis.trend import LEAST_ROWS, judge, neighbours, trend
from openworld_trainers.ppo.config import Config, to_dict

UPDATE = 65536


def autocorrelated(rng, correlation, count, series=1):
    """AR(1) noise of variance 1, [series, count]."""
    x = np.zeros((series, count + 300))
    for t in range(1, count + 300):
        x[:, t] = correlation * x[:, t - 1] + rng.standard_normal(series) * np.sqrt(1 - correlation**2)
    return x[:, 300:]


def rows_of(returns, **columns):
    return [
        {"transitions": UPDATE * (n + 1), "return": None if np.isnan(value) else float(value), "episodes": 9}
        | {name: column[n] if np.ndim(column) else column for name, column in columns.items()}
        for n, value in enumerate(returns)
    ]


def share_of(kinds, rng, make, runs):
    return np.mean([judge(rows_of(make(rng))).kind in kinds for _ in range(runs)])


TIME = np.arange(800)
RUNS = 20
CASES = {
    "a trend": (lambda rng: 5 * np.log1p(TIME / 20) + 0.3 * autocorrelated(rng, 0.7, 800)[0], "improving"),
    "a straight line": (lambda rng: np.linspace(0, 9, 800), "improving"),
    "a short trend": (lambda rng: np.linspace(0, 2, 40) + 0.2 * rng.standard_normal(40), "improving"),
    "a decline": (lambda rng: 5 * np.sin(TIME / 300) + 0.3 * autocorrelated(rng, 0.7, 800)[0], "falling"),
    "a plateau": (lambda rng: 5 * (1 - np.exp(-TIME / 60)) + 0.3 * rng.standard_normal(800), "flat"),
    "noise": (lambda rng: rng.standard_normal(512), "flat"),
    "slow noise, long": (lambda rng: autocorrelated(rng, 0.9, 4000)[0], "flat"),
    "slow noise, short": (lambda rng: autocorrelated(rng, 0.93, 200)[0], "too little data"),
    "no change at all": (lambda rng: np.full(100, 3.7), "flat"),
    "no change worth it": (lambda rng: np.minimum(TIME, 600) / 60.0 + TIME * 1e-5, "flat"),
}


@pytest.mark.parametrize("name", CASES)
def test_verdicts_on_runs_that_are_known(name):
    make, expected = CASES[name]
    assert share_of([expected], np.random.default_rng(5), make, RUNS) >= 0.75


@pytest.mark.parametrize(("correlation", "most"), [(0.0, 0.08), (0.5, 0.08), (0.9, 0.1), (0.95, 0.14)])
def test_an_autocorrelated_plateau_is_seldom_called_a_trend(correlation, most):
    """5 % is meant; least squares would say 67 % at 0.9."""
    where = np.arange(128.0)
    found = [
        trend(where, y)
        for y in autocorrelated(np.random.default_rng(int(100 * correlation)), correlation, 128, 600)
    ]
    assert np.mean([line.low > 0 or line.high < 0 for line in found]) <= most
    assert np.mean([line.low > 0 or line.high < 0 for line in found]) >= 0.02


def test_the_line_is_that_of_least_squares_and_a_straight_one_has_no_error():
    rng = np.random.default_rng(0)
    where = np.cumsum(rng.uniform(1, 3, 60))
    values = rng.standard_normal(60)
    slope = np.polyfit(where, values, 1)[0]
    assert trend(where, values).gain == pytest.approx(slope * (where[-1] - where[0]))
    line = trend(where, 3 * where)
    assert [line.gain, line.low, line.high] == pytest.approx([3 * (where[-1] - where[0])] * 3)


def test_the_interval_holds_the_true_gain():
    rng = np.random.default_rng(3)
    found = [trend(np.arange(100.0), y + np.linspace(0, 2, 100)) for y in autocorrelated(rng, 0.5, 100, 400)]
    assert np.mean([line.low <= 2 <= line.high for line in found]) == pytest.approx(0.95, abs=0.03)
    assert np.mean([line.gain for line in found]) == pytest.approx(2, abs=0.1)


@pytest.mark.parametrize("correlation", [0.0, 0.6, 0.9])
def test_the_correlation_of_neighbours_is_found(correlation):
    left = autocorrelated(np.random.default_rng(1), correlation, 5000)[0]
    assert neighbours(left) == pytest.approx(correlation, abs=0.04)


def test_rows_without_a_return_are_passed_over():
    returns = np.linspace(0, 5, 100)
    returns[::3] = np.nan
    verdict = judge(rows_of(returns))
    assert verdict.kind == "improving"
    assert verdict.rows == LEAST_ROWS
    assert "improving: return +" in verdict.sentence()
    assert judge(rows_of([np.nan] * 100)).kind == "too little data"


@pytest.mark.parametrize("count", [0, 1, LEAST_ROWS - 1])
def test_few_rows_are_too_little(count):
    verdict = judge(rows_of(np.linspace(0, 5, count)))
    assert verdict.kind == "too little data"
    assert verdict.sentence() == "too little data: fewer than 32 updates with finished episodes"
    assert verdict.advice is None


def test_the_window_is_the_last_quarter():
    verdict = judge(rows_of(np.linspace(0, 5, 400)))
    assert (verdict.rows, verdict.transitions) == (100, 99 * UPDATE)
    assert verdict.gain == pytest.approx(5 * 99 / 399)


def plateau(scale, **columns):
    """A flat run with a noise scale of so many updates."""
    rng = np.random.default_rng(2)
    count = 400
    signal = 1e-3 * (1 + 0.1 * rng.standard_normal(count))
    return rows_of(
        rng.standard_normal(count),
        **{"gradient_signal": signal, "gradient_noise": 1e-3 * UPDATE * scale, "kl_old_new": 0.01} | columns,
    )


def settings(**learning):
    made = to_dict(Config())
    return made | {"learning": made["learning"] | learning}


def test_a_flat_run_is_told_how_many_worlds_and_how_small_a_step():
    verdict = judge(plateau(5.0), settings())
    assert verdict.kind == "flat"
    advice = verdict.advice
    assert advice.factor == 8
    assert "5 times the 65,536 transitions of an update" in advice.reason
    assert "moves by 0.01 nats an update" in advice.reason
    # 4 epochs of 8 minibatches: the policy that played is 15.5 gradient steps old on average.
    assert advice.ways == (
        "more worlds: 1,024 -> 8,192, minibatch_size and learning_rate as they are",
        f"a slower anchor: ewma none -> {anchored(15.5, 8):.3g}",
        "a smaller step: learning_rate 0.0003 -> 3.75e-05",
        "fewer steps: epochs 4 -> 1",
    )
    assert advice.signs == ()


@pytest.mark.parametrize(
    ("ratio", "factor"),
    [(0.1, 2), (1, 2), (2, 2), (2.1, 4), (4, 4), (5, 8), (16, 16), (1e9, 16), (np.inf, 16)],
)
def test_the_factor_is_the_noise_to_data_ratio_within_bounds(ratio, factor):
    assert factor_for(ratio) == factor


def test_an_anchor_k_times_as_old():
    beta = anchored(15.5, 4)
    assert beta / (1 - beta) == pytest.approx(62)
    held = 0.9
    told = advise(plateau(3.0), settings(ewma=held)).ways[1]
    assert told == f"a slower anchor: ewma 0.9 -> {36 / 37:.3g}"
    assert anchored(0, 2) == pytest.approx(0.5)


def test_noise_below_the_data_is_not_blamed():
    advice = advise(plateau(0.2), settings(epochs=1))
    assert advice.factor == 2
    assert "noise alone does not hold the run" in advice.reason
    assert not any("worlds" in way for way in advice.ways)
    assert not any("epochs" in way for way in advice.ways)


def test_a_signal_lost_in_noise_gives_a_bound():
    rng = np.random.default_rng(4)
    noise = 60.0
    lost = 2e-4 + 4e-3 * rng.standard_normal(100)
    rows = plateau(1.0)[:100]
    rows = [row | {"gradient_signal": s, "gradient_noise": noise} for row, s in zip(rows, lost, strict=True)]
    found = measured_noise(rows)
    highest = lost.mean() + 2 * lost.std(ddof=1) / 10
    assert found.bound
    assert found.scale == pytest.approx(noise / highest)
    assert "at least" in advise(rows, settings()).reason
    drowned = [row | {"gradient_signal": -1.0} for row in rows]
    assert "no gradient stands out" in advise(drowned, settings()).reason
    assert advise(drowned, settings()).factor == 16


def test_without_a_noise_scale_or_settings_there_is_advice_all_the_same():
    advice = advise(rows_of(np.zeros(40)), {})
    assert advice.reason == "the noise scale was not measured"
    assert advice.ways == (
        "more worlds: x 2, minibatch_size and learning_rate as they are",
        "a smaller step: learning_rate / 2",
    )


def test_other_signs_are_told():
    rows = plateau(4.0, dead_units=0.7, explained_variance=-0.1)
    signs = advise(rows, settings(schedule="linear")).signs
    assert [part in sign for part, sign in zip(("70%", "0%", "falls to 0"), signs, strict=True)] == [True] * 3
