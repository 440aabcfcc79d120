"""Stable-Baselines3 and sb3-contrib learn in its face; the extractor reads tokens as the trainer's encoder does."""

import warnings

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from sb3_contrib import MaskablePPO, RecurrentPPO
from stable_baselines3 import DQN, PPO
from stable_baselines3.common.evaluation import evaluate_policy

from openworld import registry
from openworld.adapters.sb3 import TokenExtractor, make_vec_env
from openworld.content.rulesets import CLASSIC
from openworld.observe.layout import layout_of
from openworld_trainers.ppo.config import Network
from openworld_trainers.ppo.encoders import TokenEncoder

# As in test_sb3.py: the programs are the same.
WORLDS, LIMIT = 4, 6
TINY = {"n_steps": 4, "batch_size": 8, "n_epochs": 1, "device": "cpu"}
TOKENS = {"features_extractor_class": TokenExtractor, "net_arch": [8]}

pytestmark = pytest.mark.usefixtures("lenient")


def made(observation):
    """Worlds of the one size that these tests compile."""
    return make_vec_env(n_envs=WORLDS, observation=observation, time_limit=LIMIT, seed=1)


@pytest.mark.parametrize(
    ("algorithm", "policy", "observation", "settings"),
    [
        (PPO, "MlpPolicy", "symbolic", TINY),
        (PPO, "CnnPolicy", "pixels", TINY),
        (PPO, "MlpPolicy", "tokens", TINY | {"policy_kwargs": TOKENS}),
        (MaskablePPO, "MlpPolicy", "tokens", TINY | {"policy_kwargs": TOKENS}),
        (RecurrentPPO, "MlpLstmPolicy", "tokens", TINY | {"policy_kwargs": TOKENS | {"lstm_hidden_size": 8}}),
        (DQN, "MlpPolicy", "tokens", {"buffer_size": 64, "learning_starts": 8, "policy_kwargs": TOKENS}),
        (DQN, "MlpPolicy", "symbolic", {"buffer_size": 64, "learning_starts": 8}),
    ],
)
def test_algorithms_learn(algorithm, policy, observation, settings, tmp_path):
    envs = made(observation)
    model = algorithm(policy, envs, seed=1, **settings)
    before = {name: value.clone() for name, value in model.policy.state_dict().items()}
    model.learn(2 * LIMIT * WORLDS)
    after = model.policy.state_dict()
    assert any(not torch.equal(before[name], after[name]) for name in before)
    assert len(model.ep_info_buffer) == 2 * WORLDS
    assert {info["l"] for info in model.ep_info_buffer} == {LIMIT}
    model.save(tmp_path / "model.zip")
    again = algorithm.load(tmp_path / "model.zip", env=envs)
    obs = envs.reset()
    assert np.array_equal(
        again.predict(obs, deterministic=True)[0], model.predict(obs, deterministic=True)[0]
    )


def test_their_evaluation_trusts_the_infos():
    envs = made("tokens")
    model = PPO("MlpPolicy", envs, **TINY)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        returns, lengths = evaluate_policy(model, envs, WORLDS, return_episode_rewards=True)
    assert lengths == [LIMIT] * WORLDS
    assert np.isfinite(returns).all()


@pytest.mark.parametrize("id", ["OpenWorld-v0", "OpenWorld-Classic-v0", "OpenWorld-Endless-v0"])
def test_the_extractor_reads_tokens_as_the_trainer_does(id):
    rules = registry.ruleset(id)
    layout = layout_of(rules)
    space = make_vec_env(id, observation="tokens").observation_space
    extractor = TokenExtractor(space, id, embedding=5)
    encoder = TokenEncoder(jax.random.key(0), Network(embedding=5), rules)
    high = np.concatenate([np.full(field.size, field.high) for field in layout.values()])
    tokens = np.random.default_rng(0).integers(0, high + 1, (64, layout.size)).astype(np.uint8)
    fixtures, last_block = divmod(layout["tile"].high, 64)
    tile = tokens[:, layout["tile"].slice]
    tokens[:, layout["tile"].slice] = np.minimum(tile % 64, last_block) + 64 * np.minimum(
        tile // 64, fixtures
    )
    with torch.no_grad():
        extractor.tile.weight[:] = torch.tensor(np.array(encoder.tile))
        extractor.creature.weight[:] = torch.tensor(np.array(encoder.creature))
        numbers = extractor(torch.tensor(tokens).float()).numpy()
    assert numbers.shape == (64, extractor.features_dim)
    assert np.allclose(numbers, encoder(jnp.asarray(tokens), np.dtype(np.float32)), atol=1e-6)


def test_the_extractor_refuses_what_is_no_token():
    space = make_vec_env("OpenWorld-Classic-v0", observation="tokens").observation_space
    size = layout_of(CLASSIC).size
    with pytest.raises(ValueError, match=f"of OpenWorld-v0, not observations of shape \\({size},\\)"):
        TokenExtractor(space)
    assert TokenExtractor(space, "OpenWorld-Classic-v0").features_dim > size
