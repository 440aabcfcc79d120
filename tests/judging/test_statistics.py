"""The statistics against known answers, and against the package that published them."""

import numpy as np
import pytest

from openworld.judging.record import Episodes
from openworld.judging.statistics import crafter_score, difference, iqm, numbers, stratified_bootstrap, z_of
from tests.judging.small import SMALL

ONE = np.random.default_rng(0).normal(size=(101, 1)).round(3)
THREE = np.random.default_rng(1).gamma(2.0, size=(60, 3)).round(3)
#: What rliable 1.2.0 (with pandas 2.3 and numpy 2.4) gives for the interquartile mean and the mean of these, after
#: `np.random.seed(7)`, with 500 resamples: points, lower ends, upper ends.
RLIABLE = [
    (ONE, [0.04750980392156863, 0.08522772277227723], [-0.13824607843137252, -0.09810222772277227],
     [0.28053725490196074, 0.26281237623762377]),
    (THREE, [1.6483444444444444, 1.8391000000000002], [1.4979600000000002, 1.6759859722222223],
     [1.8053030555555554, 2.0195758333333336]),
]  # fmt: skip


def both(scores):
    """The two statistics of chosen runs."""
    strata = np.arange(scores.shape[1])[None]

    def of(index):
        some = scores[index, strata]
        return np.array([iqm(some), some.mean(axis=0).mean()])

    return of


@pytest.mark.parametrize(("scores", "points", "lows", "highs"), RLIABLE, ids=["one stratum", "three strata"])
def test_the_bootstrap_is_the_published_one(scores, points, lows, highs):
    found, ends = stratified_bootstrap(both(scores), *scores.shape, resamples=500, seed=7, confidence=0.95)
    np.testing.assert_allclose(found, points, rtol=1e-12)
    np.testing.assert_allclose(ends, [lows, highs], rtol=1e-12)


@pytest.mark.slow
@pytest.mark.parametrize("scores", [ONE, THREE], ids=["one stratum", "three strata"])
@pytest.mark.filterwarnings("ignore")
def test_rliable_agrees(scores):
    try:
        from rliable import library, metrics
    except Exception as error:
        pytest.skip(f"rliable cannot be imported: {error}")
    np.random.seed(3)  # noqa: NPY002 (its bootstrap draws from here)
    points, ends = library.get_interval_estimates(
        {"a": scores}, lambda s: np.array([metrics.aggregate_iqm(s), metrics.aggregate_mean(s)]), reps=200
    )
    found, found_ends = stratified_bootstrap(
        both(scores), *scores.shape, resamples=200, seed=3, confidence=0.95
    )
    np.testing.assert_allclose(found, points["a"], rtol=1e-12)
    np.testing.assert_allclose(found_ends, ends["a"], rtol=1e-12)


@pytest.mark.parametrize(
    ("scores", "middle"), [([1, 2, 3, 100], 2.5), ([0, 0, 4, 8, 8], 4), ([7], 7), ([1, 3], 2)]
)
def test_the_interquartile_mean(scores, middle):
    assert iqm(np.array(scores, float)) == middle


@pytest.mark.parametrize(("rates", "score"), [([0, 0], 0), ([1, 1], 100), ([1, 0], np.sqrt(101) - 1)])
def test_crafters_score(rates, score):
    assert crafter_score(np.array(rates, float)) == pytest.approx(score)


def test_the_numbers_of_episodes():
    unlocked = np.zeros((4, 22), bool)
    unlocked[:2, 0] = unlocked[:, 3] = True
    episodes = Episodes(
        returns=np.array([1.0, 2.0, 3.0, 10.0]),
        lengths=np.array([10, 20, 30, 40]),
        unlocked=unlocked,
        ended=["terminated", "terminated", "truncated", "terminated"],
        actions=[],
        digests=[],
    )
    found = numbers(episodes, SMALL.scale)
    assert found["return"]["mean"]["value"] == 4
    assert found["return"]["iqm"]["value"] == 2.5
    assert found["share"]["iqm"]["value"] == pytest.approx(2.5 / 22)
    assert found["share"]["mean"]["high"] == pytest.approx(found["return"]["mean"]["high"] / 22)
    assert found["length"]["value"] == 25
    assert found["ended"] == {"terminated": 3, "truncated": 1}
    assert (found["episodes"], found["steps"]) == (4, 100)
    assert found["score"]["value"] == pytest.approx(np.exp((np.log(51) + np.log(101)) / 22) - 1)
    assert found["achievements"]["collect_wood"]["value"] == 0.5
    assert found["achievements"]["collect_sapling"] == pytest.approx(
        {"value": 1, "low": 0.5101, "high": 1}, abs=1e-4
    )
    for name in ("return", "share"):
        for of in found[name].values():
            assert of["low"] <= of["value"] <= of["high"]


def test_differences_are_named():
    true = {"a": {"value": 1.0, "low": 0.5}, "n": 3}
    assert difference({"a": {"value": 1.0 + 1e-13, "low": 0.5}, "n": 3}, true) == []
    assert difference({"a": {"value": 1.1, "low": 0.5}, "n": 3}, true) == ["a.value: claimed 1.1, truly 1.0"]
    assert difference({"a": 7, "n": 3, "z": 1}, true) == [
        "z: is claimed and means nothing",
        "a: 7, where there should be value, low",
    ]
    assert difference({"a": {"value": float("nan")}, "n": True}, true) == [
        "a.value: claimed nan, truly 1.0",
        "a.low: claimed None, truly 0.5",
        "n: claimed True, truly 3",
    ]


def test_the_reach_of_a_normal_interval():
    assert z_of(0.95) == pytest.approx(1.959964)
    assert z_of(0.99) == pytest.approx(2.575829)
