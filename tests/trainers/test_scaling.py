"""From worlds to settings: what each rule keeps, what it changes, and what is refused."""

import dataclasses
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from openworld_trainers.planner import scaling
from openworld_trainers.planner.scaling import REFERENCES, RULES, configure, derived, explain, horizon_steps
from openworld_trainers.ppo.config import Advantage, to_dict
from openworld_trainers.ppo.presets import preset


def flat(config):
    return {f"{part}.{name}": value for part, kept in to_dict(config).items() for name, value in kept.items()}


def changed(a, b):
    a, b = flat(a), flat(b)
    return {name: (a[name], b[name]) for name in a if a[name] != b[name]}


@given(st.integers(0, 20), st.sampled_from(["standard", "million", "demo"]))
def test_the_recipe_changes_the_worlds_and_nothing_else(doublings, name):
    worlds = 2**11 * 2**doublings
    config = configure(worlds, reference=name).config
    assert set(changed(configure(2 * worlds, reference=name).config, config)) == {"rollout.worlds"}
    reference = REFERENCES[name].config
    assert config.learning == reference.learning
    steps, kept = (c.derived()["gradient_steps_per_update"] for c in (config, reference))
    assert steps * reference.rollout.worlds == kept * worlds


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("name", REFERENCES)
def test_at_the_reference_every_rule_gives_the_reference_staggered(name, rule):
    reference = REFERENCES[name].config
    config = configure(reference.rollout.worlds, reference=name, rule=rule).config
    staggered = reference.rollout.stagger == scaling.STAGGER
    assert set(changed(config, reference)) == (set() if staggered else {"rollout.stagger"})
    assert config.rollout.stagger == scaling.STAGGER


@pytest.mark.parametrize(("rule", "rate"), [("fixed-minibatches", 3e-4), ("sqrt", 3e-4 * 8)])
def test_the_other_rules_keep_the_number_of_minibatches(rule, rate):
    config = configure(64 * 1024, reference="standard", rule=rule).config
    assert config.learning.minibatch_size == 64 * 8192
    assert config.derived()["gradient_steps_per_update"] == 32
    assert config.learning.learning_rate == pytest.approx(rate)


def test_the_root_counts_transitions_and_takes_the_last_rate_along():
    demo = preset("demo")
    config = configure(2048, steps=16, reference="demo", rule="sqrt").config
    assert config.learning == demo.learning  # four times the worlds, a quarter of the steps
    assert configure(2048, reference="demo", rule="sqrt").config.learning.final_learning_rate is None
    learning = dataclasses.replace(demo.learning, final_learning_rate=1e-4, warm_up=1_000_000)
    start = dataclasses.replace(demo, learning=learning)
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(REFERENCES, "demo", scaling.Reference("", start))
        config, reasons = configure(2048, reference="demo", rule="sqrt")
        assert config.learning.final_learning_rate == pytest.approx(2e-4)
        assert config.learning.warm_up == 1_000_000
        assert "learning.warm_up" in {reason.name for reason in reasons}


def test_a_million_worlds_need_nothing_else():
    config, reasons = configure(2**20)
    assert (config.rollout.worlds, config.rollout.steps) == (2**20, 16)
    assert config.rollout.stagger > 0
    assert (config.network.width, config.network.depth) == (256, 3)
    assert dict(zip(("reference", "scaling"), (r.value for r in reasons), strict=False)) == {
        "reference": "million",
        "scaling": "recipe",
    }


@pytest.mark.parametrize(
    ("worlds", "name"), [(1, "standard"), (2**15, "standard"), (2**15 + 1, "million"), (2**24, "million")]
)
def test_the_nearest_reference_is_taken(worlds, name):
    assert scaling.reference_for(worlds) == name


@pytest.mark.parametrize(
    ("gamma", "gae_lambda", "steps"), [(0.99, 0.8, 16), (0.99, 0.95, 64), (0.999, 1.0, 4096), (0.0, 0.9, 1)]
)
def test_a_rollout_is_as_long_as_advantages_reach(gamma, gae_lambda, steps):
    assert horizon_steps(Advantage(gamma=gamma, gae_lambda=gae_lambda)) == steps


@given(st.floats(0.01, 0.999), st.floats(0.01, 1.0))
def test_half_the_steps_would_cut_off_too_much(gamma, gae_lambda):
    steps, weight = horizon_steps(Advantage(gamma=gamma, gae_lambda=gae_lambda)), gamma * gae_lambda
    assert weight**steps <= scaling.CUT_OFF * (1 + 1e-9)
    assert steps == 1 or weight ** (steps / 2) > scaling.CUT_OFF * (1 - 1e-9)


def test_an_endless_horizon_has_no_steps():
    with pytest.raises(ValueError, match="give the steps"):
        horizon_steps(Advantage(gamma=1.0, gae_lambda=1.0))


@pytest.mark.parametrize(
    ("call", "words"),
    [
        (lambda: configure(100), ["worlds=100 x steps=64 = 6400", "minibatches of 8,192", "worlds=128"]),
        (lambda: configure(1000), ["worlds=1024"]),
        (lambda: configure(1080), ["worlds=1024"]),
        (lambda: configure(100, steps=3, rule="sqrt"), ["the 8 minibatches of standard", "worlds=104"]),
        (lambda: configure(0), ["worlds=0 must be greater than 0"]),
        (lambda: configure(64, steps=0), ["steps=0"]),
        (lambda: configure(64, minibatch_size=-1), ["minibatch_size=-1"]),
        (lambda: configure(64, rule="linear"), ["scaling='linear'", "recipe, fixed-minibatches, sqrt"]),
        (lambda: configure(64, reference="huge"), ["'huge'", "tiny, demo, cpu, standard, strong, million"]),
    ],
)
def test_what_cannot_be_scaled_is_said_in_one_line(call, words):
    with pytest.raises(ValueError, match=r".") as refusal:
        call()
    message = str(refusal.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


@given(st.integers(1, 5000), st.integers(1, 100))
def test_the_number_that_is_named_is_the_nearest_that_works(worlds, steps):
    try:
        configure(worlds, steps, "standard")
    except ValueError as refusal:
        named = int(str(refusal).rsplit("worlds=", 1)[1])
        configure(named, steps, "standard")
        apart = abs(named - worlds)
        unit = 8192 // math.gcd(8192, steps)
        assert [n for n in range(worlds - apart + 1, worlds + apart) if n > 0 and n % unit == 0] == []


def test_a_minibatch_that_is_given_goes_before_the_rule():
    config, reasons = configure(100, minibatch_size=640)
    assert config.learning.minibatch_size == 640
    assert next(r.why for r in reasons if r.name == "learning.minibatch_size") == "as asked"


def test_every_number_comes_with_its_reason():
    config, reasons = configure(4096, reference="standard", rule="sqrt")
    told = {reason.name: reason for reason in (*explain(config, reasons), *derived(config))}
    assert set(changed(config, preset("standard"))) | set(config.derived()) < set(told)
    assert told["learning.learning_rate"].why == "0.0003 x √4"
    assert told["advantage_cut_off"].value == pytest.approx(0.792**64)
    assert all(reason.why for reason in told.values())
    table = scaling.table(told.values())
    assert len(table.splitlines()) == len(told)
    assert "learning.learning-rate  " in table
    assert " 262,144  4096 worlds x 64 steps" in table


def test_what_was_changed_afterwards_says_so():
    config, reasons = configure(4096, reference="standard")
    config = dataclasses.replace(config, learning=dataclasses.replace(config.learning, epochs=2))
    told = {reason.name: reason for reason in explain(config, reasons)}
    assert told["learning.epochs"] == ("learning.epochs", 2, "as asked")
    assert told["learning.minibatch_size"].why == "as in standard, however many worlds"
