"""The study of stagnation, whole, at a size of seconds: what it runs, writes, goes on from and draws."""

import dataclasses
import math

import pytest

from openworld_trainers.planner.scaling import Reference, configure
from openworld_trainers.ppo.config import Learning, Rollout
from openworld_trainers.studies import stagnation
from openworld_trainers.studies.stagnation import CUTS, PARTS, Numbers, Study, parts_of
from tests.trainers.helpers import small
from tests.trainers.probes import Probe, one

SMALL = small(rollout=Rollout(worlds=4, steps=8), learning=Learning(minibatch_size=16, epochs=2))


@pytest.fixture(scope="module")
def ran(tmp_path_factory):
    """A study of two numbers of worlds, two seeds, in a world that pays for one of two actions."""
    folder = tmp_path_factory.mktemp("study")
    study = Study(worlds=(4, 16), seeds=2, transitions=16 * 8 * 4, out=folder, pictures=folder)
    env = Probe("one", lambda clue, age: clue, one, length=4, num_actions=2)
    patch = pytest.MonkeyPatch()
    patch.setattr(stagnation, "REFERENCE", Reference("small", SMALL))
    patch.setattr(stagnation, "make_env", lambda _: env)
    stagnation.main(study)
    yield study
    patch.undo()


def test_every_rule_worlds_and_seed_is_run_once_and_whole(ran):
    numbers = Numbers(ran.out / "stagnation.csv")
    runs = {(row["rule"], row["worlds"], row["seed"]) for row in numbers.rows}
    scaled = {("recipe", 4), ("recipe", 16), ("fixed-minibatches", 16), ("sqrt", 16)}
    cut = {(rule, 4) for rule in CUTS}
    assert runs == {(*run, seed) for run in scaled | cut for seed in range(2)}
    assert len(numbers.rows) == len(runs) * PARTS
    for row in numbers.rows:
        played = 2 * ran.transitions if row["rule"] in CUTS else ran.transitions
        assert row["transitions"] == round((row["part"] + 1) * played / PARTS)
        assert math.isfinite(row["kl_old_new"])
        assert -1 <= row["return"] <= 4 or row["episodes"] == 0


def test_a_run_that_is_there_is_not_run_again(ran, monkeypatch):
    before = (ran.out / "stagnation.csv").read_bytes()
    monkeypatch.setattr(stagnation, "Programs", None)
    stagnation.main(ran)
    assert (ran.out / "stagnation.csv").read_bytes() == before


def test_runs_that_are_cut_share_their_first_half(ran):
    numbers = Numbers(ran.out / "stagnation.csv")
    halves = {
        rule: [row["return"] for row in numbers.rows if row["rule"] == rule and row["part"] < PARTS // 2]
        for rule in CUTS
    }
    first, *others = halves.values()
    assert all(str(other) == str(first) for other in others)


def test_pictures_are_drawn(ran):
    for name in ("stagnation-scaling.png", "stagnation-cut.png"):
        data = (ran.pictures / name).read_bytes()
        assert data.startswith(b"\x89PNG")
        assert len(data) > 10_000


def test_parts_weigh_returns_by_episodes_and_leave_nothing_out():
    means = dict.fromkeys((*stagnation.MEANS, *stagnation.NOISE), 1.0)
    rows = [{"return": float(i), "episodes": i, **means} for i in range(8)]
    told = list(parts_of(rows, 4))
    assert [part["episodes"] for part in told] == [1, 5, 9, 13]
    assert told[1]["return"] == pytest.approx((2 * 2 + 3 * 3) / 5)


def test_a_reference_of_ones_own_is_scaled_like_any_other():
    own = Reference("mine", dataclasses.replace(SMALL))
    scaled = configure(64, reference=own, rule="sqrt")
    assert scaled.config.learning.minibatch_size == 16 * SMALL.learning.minibatch_size
    assert scaled.config.learning.learning_rate == pytest.approx(4 * SMALL.learning.learning_rate)
    assert scaled.config.env == SMALL.env
