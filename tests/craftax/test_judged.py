"""The judge in the published package: its games behind our functions, and the command from end to end."""

import json
from dataclasses import replace
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest

pytest.importorskip("craftax")

from openworld import cli
from openworld.content.rulesets import CLASSIC, FULL
from openworld.judging import protocols
from openworld.judging.peer.game import PeerGame, all_at_once, one_by_one
from openworld.judging.protocols import held_out_seeds
from openworld.observe.layout import layout_of
from openworld.observe.symbolic import symbolic
from tests.judging.small import SMALL

pytestmark = pytest.mark.slow

WORLDS, LIMIT = 3, 12
#: Daylight is told in 250ths, health in fortieths.
ROUNDED = 1 / 400
GAMES = pytest.mark.parametrize(
    ("id", "rules"), [("OpenWorld-v0", FULL), ("OpenWorld-Classic-v0", CLASSIC)], ids=["full", "classic"]
)


@GAMES
def test_it_plays_what_the_package_plays(id, rules, lenient):
    """The same keys and actions, the package called directly: the same floats, rewards and lengths."""
    from craftax.craftax_env import make_craftax_env_from_name

    game, seeds, dice = PeerGame(id, LIMIT), held_out_seeds(5, WORLDS), np.random.default_rng(0)
    env = make_craftax_env_from_name(game.name, auto_reset=False)
    their_reset = jax.jit(lambda key: env.reset(key, env.default_params))
    their_step = jax.jit(lambda key, state, action: env.step(key, state, action, env.default_params)[:4])
    advance, show = jax.jit(game.advance), jax.jit(lambda tokens: symbolic(tokens, rules))
    tokens, state = jax.jit(game.reset_seeds)(seeds)
    theirs = [their_reset(jnp.asarray(seed)) for seed in seeds]
    returns = np.zeros(WORLDS, np.float32)
    for step in range(LIMIT):
        np.testing.assert_allclose(show(tokens), np.stack([obs for obs, _ in theirs]), atol=ROUNDED)
        actions = jnp.asarray(dice.integers(0, game.num_actions, WORLDS), jnp.int32)
        tokens, state, reward, terminated, truncated, info = advance(state, actions)
        for i, (_, before) in enumerate(theirs):
            key = jax.random.fold_in(jnp.asarray(seeds[i]), step + 1)
            obs, inner, gain, done = their_step(key, before, actions[i])
            theirs[i], returns[i] = (obs, inner), returns[i] + np.float32(gain)
            assert not done
            np.testing.assert_array_equal(info.achievements[i], inner.achievements)
    assert tokens.shape == (WORLDS, layout_of(rules).size)
    assert np.asarray(truncated).all()
    assert not np.asarray(terminated).any()
    _, after, reward, *_, info = advance(state, actions)  # the episodes are over: nothing changes
    np.testing.assert_array_equal(info.episode_return, returns)
    np.testing.assert_array_equal(info.episode_length, np.full(WORLDS, LIMIT))
    assert not np.asarray(reward).any()
    for old, new in zip(jax.tree.leaves(state), jax.tree.leaves(after), strict=True):
        np.testing.assert_array_equal(old, new)


def test_an_accelerator_steps_all_worlds_at_once_to_the_same(lenient):
    game = PeerGame("OpenWorld-Classic-v0", 100)
    _, state = jax.jit(game.reset_seeds)(held_out_seeds(6, WORLDS))
    state = replace(state, over=jnp.arange(WORLDS) == 1)
    actions = jnp.array([1, 5, 3], jnp.int32)
    one, other = (jax.jit(partial(way, game.step_one))(state, actions) for way in (one_by_one, all_at_once))
    playing = ~np.asarray(state.over)
    for mine, theirs in zip(jax.tree.leaves(one[:2]), jax.tree.leaves(other[:2]), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)
    for mine, theirs in zip(one[2:], other[2:], strict=True):
        np.testing.assert_allclose(np.asarray(mine)[playing], np.asarray(theirs)[playing])


def test_the_command(tmp_path, monkeypatch, capsys, lenient):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(protocols.PROTOCOLS, SMALL.name, SMALL)
    for agent in ("random", "scripted"):
        words = f"evaluate --agent {agent} --in craftax --protocol small --episodes 3 --out {agent}.json"
        assert cli.main(words.split()) == 0
        said = capsys.readouterr().out
        assert f"{agent}: 3 episodes of Craftax-Classic-Symbolic-v1 and of OpenWorld-Classic-v0" in said
        assert "not a verified result" in said
        record = json.loads((tmp_path / f"{agent}.json").read_text())
        assert record["package"] == {
            "name": "craftax",
            "version": "1.6.1",
            "game": "Craftax-Classic-Symbolic-v1",
        }
        assert record["verified"] is False
        assert list(record["numbers"]) == ["craftax", "openworld", "difference"]
        assert [row["steps"] <= SMALL.time_limit for row in record["episodes"]] == [True] * 3
        assert cli.main(["verify", f"{agent}.json"]) == 2
        assert "is not a result of openworld evaluate" in capsys.readouterr().err
