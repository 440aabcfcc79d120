"""Settings: what is refused, how it is said, and that they survive being kept."""

import dataclasses
import json

import pytest

from openworld_trainers.ppo import config as settings
from openworld_trainers.ppo import presets
from openworld_trainers.ppo.config import Advantage, Config, Env, Learning, Network, Reward, Rollout, Run


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: Rollout(worlds=0), ["worlds=0", "greater than 0"]),
        (lambda: Rollout(steps=-1), ["steps=-1"]),
        (lambda: Learning(minibatch_size=0), ["minibatch_size=0"]),
        (lambda: Learning(learning_rate=0.0), ["learning_rate=0.0"]),
        (
            lambda: Learning(schedule="linear", final_learning_rate=-1.0),
            ["final_learning_rate=-1.0", "negative"],
        ),
        (
            lambda: Learning(final_learning_rate=1e-4),
            ["final_learning_rate=0.0001 needs schedule=linear or schedule=cosine"],
        ),
        (
            lambda: Config(learning=Learning(warm_up=300), run=Run(transitions=200)),
            ["learning.warm_up=300", "run.transitions=200"],
        ),
        (lambda: Learning(warm_up=-1), ["warm_up=-1"]),
        (
            lambda: settings.from_dict({"learning": {"optimiser": "sgd"}}),
            ["learning.optimiser='sgd'", "adam, muon"],
        ),
        (lambda: Learning(momentum=1.0), ["momentum=1.0", "less than 1"]),
        (lambda: Learning(weight_decay=-0.1), ["weight_decay=-0.1", "negative"]),
        (lambda: Run(measure_every=0), ["measure_every=0"]),
        (lambda: Learning(entropy_coefficient=-0.1), ["entropy_coefficient=-0.1", "negative"]),
        (lambda: Learning(value_clip_epsilon=0.0), ["value_clip_epsilon=0.0"]),
        (lambda: Learning(ewma=1.0), ["ewma=1.0", "less than 1"]),
        (lambda: Rollout(stagger=-1), ["stagger=-1", "negative"]),
        (lambda: Run(devices=0), ["devices=0", "greater than 0"]),
        (
            lambda: Config(
                network=Network(memory="gru"),
                rollout=Rollout(worlds=12, steps=10),
                learning=Learning(minibatch_size=24),
            ),
            ["worlds=12 x steps=10 = 120", "minibatch_size=24", "whole sequences of steps=10; 20 would"],
        ),
        (lambda: Network(memory_layers=0), ["memory_layers=0"]),
        (
            lambda: Config(network=Network(mask=False), learning=Learning(skip_forced=True)),
            ["skip_forced", "network.mask"],
        ),
        (lambda: Advantage(gamma=1.5), ["gamma=1.5", "between 0 and 1"]),
        (lambda: Reward(death=float("nan")), ["death=nan", "finite"]),
        (lambda: Reward(health=float("inf")), ["health=inf", "finite"]),
        (lambda: Reward(scale=0.0), ["scale=0.0", "greater than 0"]),
        (lambda: Reward(clip=-1.0), ["clip=-1.0", "greater than 0"]),
        (lambda: Network(width=0), ["width=0"]),
        (lambda: Run(transitions=0), ["transitions=0"]),
        (lambda: Run(seed=-1), ["seed=-1"]),
        (lambda: Run(time_budget_s=0.0), ["time_budget_s=0.0"]),
        (lambda: Run(save_every_s=-1.0), ["save_every_s=-1.0"]),
        (lambda: Env(id=""), ["OpenWorld-v0"]),
        (lambda: Env(time_limit=0), ["time_limit=0"]),
        (
            lambda: Config(rollout=Rollout(worlds=10, steps=10), learning=Learning(minibatch_size=30)),
            ["worlds=10 x steps=10 = 100", "minibatch_size=30", "25 would"],
        ),
        (lambda: presets.preset("huge"), ["huge", "tiny, demo, cpu, standard, strong"]),
    ],
)
def test_what_cannot_be_is_said_in_one_line(make, words):
    with pytest.raises(ValueError, match=r".") as refusal:
        make()
    message = str(refusal.value)
    assert "\n" not in message
    assert [word for word in words if word not in message] == []


@pytest.mark.parametrize("name", presets.PRESETS)
def test_presets_survive_being_kept(name):
    config = presets.preset(name)
    assert settings.from_dict(json.loads(json.dumps(settings.to_dict(config)))) == config
    assert config.derived()["transitions_per_update"] == config.rollout.worlds * config.rollout.steps


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"rollouts": {}}, "rollouts is not a setting"),
        ({"rollout": {"world": 3}}, "rollout.world is not a setting"),
        ({"rollout": {"worlds": "many"}}, "rollout.worlds='many' must be int"),
        ({"rollout": {"worlds": True}}, "rollout.worlds=True must be int"),
        ({"rollout": 3}, "rollout must be a group of settings, not 3"),
        ({"network": {"activation": "step"}}, "network.activation='step' must be one of relu, tanh"),
        (
            {"network": {"precision": "float16"}},
            "network.precision='float16' must be one of auto, float32, bfloat16",
        ),
        (
            {"learning": {"value_clip_epsilon": "much"}},
            "learning.value_clip_epsilon='much' must be float or None",
        ),
    ],
)
def test_settings_of_another_version_are_named(changed, words):
    with pytest.raises(ValueError, match=r".") as refusal:
        settings.from_dict(changed)
    assert words in str(refusal.value)


def test_a_whole_number_may_stand_for_a_float():
    assert settings.from_dict({"run": {"time_budget_s": 60}}).run.time_budget_s == 60


def test_records_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().rollout.worlds = 3


def test_parts_of_a_pass_are_counted_in_minibatches():
    assert [settings.gradient_steps(epochs, 16) for epochs in (1.0, 1.25, 0.5, 0.01, 4.0)] == [
        16,
        20,
        8,
        1,
        64,
    ]
    config = settings.Config(learning=Learning(minibatch_size=1024, epochs=1.5))
    assert config.derived()["gradient_steps_per_update"] == 96
