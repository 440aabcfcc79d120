"""Intervals against published values."""

import math

import pytest

from openworld.judging import intervals


@pytest.mark.parametrize(
    ("hits", "trials", "low", "high"),
    [
        (81, 263, 0.2553, 0.3662),
        (15, 148, 0.0624, 0.1605),
        (0, 20, 0.0, 0.1611),
        (20, 20, 0.8389, 1.0),
        (1, 29, 0.0061, 0.1718),
    ],
)
def test_wilson_gives_the_values_of_newcombe_1998(hits, trials, low, high):
    found = intervals.rate(hits, trials)
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
    assert found.value == hits / trials


def test_a_mean_and_its_interval():
    found = intervals.mean([1.0, 2.0, 3.0, 4.0])
    assert found.value == 2.5
    assert found.high - found.value == pytest.approx(1.959964 * math.sqrt(5 / 3) / 2)
    assert found.value - found.low == pytest.approx(found.high - found.value)


def test_too_few_samples_say_so():
    assert math.isnan(intervals.mean([]).value)
    assert intervals.mean([1.0]).high == math.inf
    assert intervals.rate(0, 0).high == 1.0


@pytest.mark.parametrize(
    ("first", "second", "low", "high"),
    [
        ((56, 70), (48, 80), 0.0524, 0.3339),
        ((9, 10), (3, 10), 0.1705, 0.8090),
        ((5, 56), (0, 29), -0.0381, 0.1926),
        ((0, 10), (0, 10), -0.2775, 0.2775),
    ],
)
def test_differences_of_rates_are_those_of_newcombe_1998(first, second, low, high):
    found = intervals.difference(intervals.rate(*first), intervals.rate(*second))
    assert (found.low, found.high) == pytest.approx((low, high), abs=5e-5)
