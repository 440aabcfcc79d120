"""An agent in one world acts as the judge lets it act."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.core.random import integer_words, world_seeds
from openworld.judging.acting import Actor
from openworld.judging.agents import AgentError, CheckedAgent
from openworld.judging.episodes import play
from openworld.playing.agent_game import AgentGame
from openworld.playing.session import Session

ID, STEPS = "OpenWorld-Classic-v0", 12


def at_random(carry, keys, tokens):
    """A JAX policy that draws, and remembers how often it acted."""
    actions = jax.vmap(lambda key: jax.random.randint(key, (), 0, 17))(keys)
    return carry, actions


class Drawing:
    """An agent of NumPy that draws, and wants the mask."""

    action_masks = True

    def begin(self, num_worlds, seed):
        self.seed = seed

    def act(self, observations, infos):
        allowed = infos["action_mask"]
        return np.array(
            [
                np.random.default_rng((self.seed, number, infos["step"])).choice(np.flatnonzero(row))
                for number, row in zip(infos["episode"], allowed, strict=True)
            ]
        )


@pytest.mark.parametrize("agent", [lambda: at_random, Drawing], ids=["policy", "agent"])
def test_the_game_of_an_agent_is_the_episode_that_is_judged(agent):
    env = openworld.make(ID, time_limit=STEPS)
    game = AgentGame(
        Session(ID, 0, time_limit=STEPS), lambda: Actor(agent, env.ruleset, "an agent"), "an agent"
    )
    game.begin()
    game.wait()
    while not game.ended:
        game.step()
    made = agent()
    entrant = made if callable(made) else CheckedAgent(agent, "an agent", made)
    seeds = np.asarray(world_seeds(jnp.asarray(integer_words(0)), 1))
    judged = play(env, seeds, entrant)
    assert game.session.replay().actions.tolist() == judged.actions[0].tolist()
    assert game.moment.episode_return == pytest.approx(judged.returns[0])


def test_an_action_out_of_range_is_one_line():
    rules = openworld.make(ID).ruleset
    actor = Actor(lambda: lambda carry, keys, tokens: (carry, jnp.full(len(tokens), 99)), rules, "it")
    actor.begin(0)
    with pytest.raises(AgentError, match="it chose action 99; the actions are 0 to 16"):
        actor.act(np.zeros(307, np.uint8), np.ones(17, bool), step=0)
