"""Play: every world's first episode once and whole, whatever plays side by side; agents of every kind."""

import equinox as eqx
import jax.numpy as jnp
import numpy as np
import pytest

from openworld.judging.agents import AgentError
from openworld.judging.result import Result
from openworld.storage import replay
from tests.judging.small import ACTIONS, EPISODES, LIMIT, SMALL, OneWalker, Walker, judged


def facts(result):
    found = result.episodes
    return found.digests, found.ended, found.returns.tolist(), found.lengths.tolist(), result.numbers


def test_each_world_plays_its_first_episode_to_its_end(made):
    found = made.episodes
    np.testing.assert_array_equal(made.seeds, SMALL.seeds())
    assert len(set(found.digests)) == EPISODES
    assert set(found.ended) == {"terminated", "truncated"}  # so that both are tested
    for ended, length, actions in zip(found.ended, found.lengths, found.actions, strict=True):
        assert len(actions) == length <= LIMIT
        assert (length == LIMIT) == (ended == "truncated")
    assert found.seconds > 0


def test_what_plays_side_by_side_changes_nothing(made):
    agent = Walker()
    assert facts(judged(lambda: agent, at_once=4)) == facts(made)
    assert agent.begun == (4, SMALL.agent_seed)
    assert agent.infos[0]["episode"].tolist() == [4, 5, 6, 7]


def walk(carry, keys, tokens):
    """The walker as a policy that JAX compiles; its carry is the step."""
    return carry + 1, (tokens.astype(jnp.int32).sum(axis=1) + carry) % ACTIONS


class JaxWalker(eqx.Module):
    def __call__(self, carry, keys, tokens):
        return walk(carry, keys, tokens)

    def begin(self, num_worlds):
        return jnp.int32(0)


def test_on_the_device_an_episode_is_the_same_as_on_the_host(made):
    found = judged(JaxWalker)
    assert facts(found) == facts(made)
    for was, now in zip(made.episodes.actions, found.episodes.actions, strict=True):
        np.testing.assert_array_equal(was, now)
    assert (found.agent["observation"], found.agent["one_world"]) == ("tokens", False)
    assert found.made["steps_per_second"] > 0


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (lambda worlds: jnp.full(worlds, ACTIONS), f"action {ACTIONS}; the actions are 0 to {ACTIONS - 1}"),
        (lambda worlds: jnp.zeros((worlds, 1), int), r"shape \(6, 1\); it should be \(6,\)"),
        (jnp.zeros, "dtype float32; they should be whole numbers"),
    ],
)
def test_a_policy_is_checked_as_an_agent_is(actions, message):
    with pytest.raises(AgentError, match=f"the policy chose .*{message}"):
        judged(lambda: lambda carry, keys, tokens: (carry, actions(len(tokens))))


def test_a_policy_sees_the_form_that_it_asks_for():
    class Sees(eqx.Module):
        observation: str = eqx.field(static=True, default="symbolic")

        def __call__(self, carry, keys, seen):
            assert (seen.shape, seen.dtype) == ((EPISODES, 1345), jnp.float32)
            return carry, jnp.zeros(EPISODES, jnp.int32)

    assert judged(Sees).agent["observation"] == "symbolic"
    with pytest.raises(AgentError, match="'text' is not one of tokens, symbolic, pixels"):
        judged(lambda: Sees("text"))


def test_an_agent_that_sees_one_world_is_the_same_as_one_that_sees_all(made):
    agents = []

    def factory():
        agents.append(OneWalker())
        return agents[-1]

    alone = judged(factory)
    assert facts(alone) == facts(made)
    assert alone.agent["one_world"] is True
    assert [agent.begun for agent in agents] == [(1, i) for i in range(EPISODES)]
    assert set(agents[0].infos[0]) == {"step", "reward", "episode"}
    assert [int(agent.infos[0]["episode"]) for agent in agents] == list(range(EPISODES))
    assert np.shape(agents[0].infos[0]["reward"]) == ()


def test_an_agent_is_shown_what_it_needs(made):
    agent = Walker()
    found = judged(lambda: agent).episodes
    assert agent.begun == (EPISODES, SMALL.agent_seed)
    assert [infos["step"] for infos in agent.infos] == list(range(max(found.lengths)))
    playing = np.stack([infos["playing"] for infos in agent.infos])
    np.testing.assert_array_equal(playing.sum(axis=0), found.lengths)
    paid = np.stack([infos["reward"] for infos in agent.infos])
    assert paid.dtype == np.float32
    assert (paid[0] == 0).all()
    longest = int(np.argmax(found.lengths))
    assert paid[:, longest].sum() <= found.returns[longest] + 1e-4


def test_an_episode_is_a_replay_that_plays_as_recorded(made, tmp_path):
    agent, number = Walker(), 1
    judged(lambda: agent)
    episode = made.replay(number)
    frames = list(replay.frames(replay.Replay.load(episode.save(tmp_path / "a.replay"))))
    assert len(frames) == len(episode.actions) + 1
    for step, frame in enumerate(frames[:-1]):
        np.testing.assert_array_equal(agent.seen[step][number], frame)


def test_a_result_is_read_as_it_was_written(made, path):
    kept = Result.load(path)
    assert facts(kept) == facts(made)
    assert (kept.protocol, kept.agent) == (SMALL.settings(), made.agent)
    for was, now in zip(made.episodes.actions, kept.episodes.actions, strict=True):
        np.testing.assert_array_equal(was, now)
    assert {"machine", "versions", "steps_per_second", "date"} <= set(kept.made)
    assert [file.name for file in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize(
    ("observation", "shape", "dtype"), [("symbolic", (EPISODES, 1345), np.float32), ("text", None, str)]
)
def test_an_agent_sees_what_it_asks_for(observation, shape, dtype):
    class Sees(Walker):
        def act(self, observations, infos):
            self.seen.append(observations)
            return np.full(EPISODES, infos["step"] % ACTIONS)

    agent = Sees()
    agent.observation = observation
    judged(lambda: agent, at_once=EPISODES)
    seen = agent.seen[0]
    if shape is None:
        assert len(seen) == EPISODES
        assert all(isinstance(text, dtype) for text in seen)
    else:
        assert (seen.shape, seen.dtype) == (shape, dtype)


def test_an_agent_may_ask_for_masks():
    class Masked(Walker):
        action_masks = True

        def act(self, observations, infos):
            self.infos.append(infos)
            return infos["action_mask"].argmax(axis=1)

    agent = Masked()
    judged(lambda: agent)
    mask = agent.infos[0]["action_mask"]
    assert (mask.shape, mask.dtype) == ((EPISODES, ACTIONS), bool)
