"""Action masks by brute force: every action of every state is played beside NOOP, and the two futures compared."""

from dataclasses import replace
from functools import cache
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from tests.oracle import coop_scenes, driver, scenes
from tests.oracle.book import CLASSIC, COOP, ENDLESS, FULL, Rules
from tests.oracle.combat import POINT
from tests.oracle.names import ITEMS, Achievement, Action, Block
from tests.oracle.test_scenes import scene
from tests.properties.test_hlo import copies_of_the_map, optimised

WORLDS = driver.WORLDS
#: Of what the mask allows and neither luck nor another's act has a say in, at most this share may change nothing.
WASTED = 0.001


class Case(NamedTuple):
    """A batch of states, its mask, and what each action changes against NOOP: bool[worlds, actions]."""

    state: Any
    mask: np.ndarray
    changed: np.ndarray


def masked(state: Any, rules: Rules) -> np.ndarray:
    return np.asarray(driver.environment(rules).action_mask(jax.tree.map(jnp.asarray, state)))


def unlike(one: Any, other: Any) -> np.ndarray:
    """In which worlds anything differs, bool[worlds]."""
    pairs = zip(jax.tree.leaves(one), jax.tree.leaves(other), strict=True)
    return np.any([(x != y).reshape(len(x), -1).any(axis=1) for x, y in pairs], axis=0)


def judge(state: Any, rules: Rules) -> Case:
    """Play every action of a batch: the states, rewards and ends after it are compared with those after NOOP."""
    mask = masked(state, rules)
    idle, *others = (
        driver.play(state, np.full(WORLDS, action, np.int32), rules)[1:5] for action in range(rules.actions)
    )
    changed = np.stack([np.zeros(WORLDS, bool), *(unlike(idle, out) for out in others)], axis=1)
    return Case(state, mask, changed)


def any_scene(seed: int, rules: Rules) -> Any:
    """Worlds like those of the oracle's tests."""
    rng = np.random.default_rng([seed, 23])
    if rules is not ENDLESS:
        return scene(rng, rules)
    themes = rng.integers(1, 9, WORLDS)
    return scene(rng, rules, themes=themes, depths=np.where(themes == 8, 8, rng.choice([9, 10, 300], WORLDS)))


def sated(seed: int, rules: Rules) -> Any:
    """Players who lack little or nothing, in coop, at the water and on the grass."""
    rng = np.random.default_rng([seed, 29])
    state = scenes.scramble(driver.blank(rules), rng, rules=rules, crowd=0.9, reach=1, wild=0.2)
    player, most = state.world.player, 99 if rules is not CLASSIC else 9
    scenes.awake(state)
    player.vitals[:, 0, :3] = 7 + 2 * player.attributes[:, 0, :1]
    player.health[:, 0] = POINT * (8 + player.attributes[:, 0, 1].astype(int))
    player.thirst[rng.random(WORLDS) < 0.7, 0] = 0
    player.achievements[rng.random(WORLDS) < 0.7, 0, 0] |= np.uint32(1 << Achievement.COLLECT_DRINK)
    player.inventory[rng.random(WORLDS) < 0.5, 0, ITEMS.index("sapling")] = most
    things = [Block.WATER, Block.GRASS, Block.CRAFTING_TABLE] + [Block.FOUNTAIN] * (rules is not CLASSIC)
    scenes.face(state, rng.choice(things, WORLDS), where=rng.random(WORLDS) < 0.6)
    return state


def played(seed: int, rules: Rules) -> Any:
    """Worlds as they are made, after some random play."""
    rng = np.random.default_rng([seed, 31])
    state = driver.blank(rules)
    for _ in range(20):
        state = driver.play(state, rng.integers(0, rules.actions, WORLDS), rules)[1]
    return jax.tree.map(np.array, state)


CASES = {
    "full": (any_scene, FULL),
    "endless": (any_scene, ENDLESS),
    "classic": (any_scene, CLASSIC),
    "sated": (sated, FULL),
    "sated_classic": (sated, CLASSIC),
    "played": (played, FULL),
    "played_classic": (played, CLASSIC),
}


@cache
def case(name: str) -> Case:
    make, rules = CASES[name]
    return judge(make(5, rules), rules)


def lucky(state: Any, actions: int) -> np.ndarray:
    """Where chance decides: combing grass for a sapling, and resting while whole, which takes a blow just then."""
    spots, player = scenes.faced(state), state.world.player
    luck = np.zeros((WORLDS, actions), bool)
    for i, spot in enumerate(spots):
        struck = (state.world.mobs.alive[i] & (state.world.mobs.position[i] == spot).all(axis=-1)).any()
        grass = scenes.inside(state, spot) and scenes.ground(state, i)[tuple(spot)] & 63 == Block.GRASS
        luck[i, Action.DO] = grass and not struck
    if actions > Action.REST:
        luck[:, Action.REST] = player.health[:, 0] >= POINT * (8 + player.attributes[:, 0, 1].astype(int))
    return luck


@pytest.mark.parametrize("name", CASES)
def test_a_masked_action_is_noop(name):
    _, mask, changed = case(name)
    wrong = np.argwhere(changed & ~mask)
    assert not len(wrong), [(int(i), Action(a).name) for i, a in wrong[:10]]
    assert mask[:, Action.NOOP].all()


@pytest.mark.parametrize("name", CASES)
def test_an_allowed_action_does_something(name):
    # What is left: a missile breaks the table in the very step in which it is dug away.
    state, mask, changed = case(name)
    sure = mask & ~lucky(state, mask.shape[1])
    sure[:, Action.NOOP] = False
    wasted = sure & ~changed
    assert wasted.sum() <= WASTED * sure.sum(), [(int(i), Action(a).name) for i, a in np.argwhere(wasted)]


def test_every_action_is_seen_to_work_and_not_to():
    for rules in (FULL, CLASSIC):
        cases = [case(name) for name, (_, theirs) in CASES.items() if theirs is rules]
        changed = np.concatenate([one.changed for one in cases])
        assert changed[:, 1:].any(axis=0).all()
        assert not np.concatenate([one.mask for one in cases])[:, 1:].all(axis=0).any()


def test_luck_strikes_now_and_then():
    state, mask, changed = case("sated")
    luck = mask & lucky(state, mask.shape[1])
    for action in (Action.DO, Action.REST):
        assert 0 < (luck & changed)[:, action].sum() <= luck[:, action].sum()


def test_worlds_that_have_ended_have_a_mask():
    state = any_scene(7, FULL)
    state.world.player.health[:] = 0
    state.world.boss_progress[: WORLDS // 2] = 8
    mask = masked(state, FULL)
    assert mask.shape == (WORLDS, 43)
    assert mask[:, Action.NOOP].all()


def test_a_random_player_earns_more_with_the_mask():
    def earn(restricted: bool) -> float:
        rng = np.random.default_rng(1)
        _, state = driver.environment().reset(77, driver.PLAYED)
        mask, total = driver.environment().action_mask, 0.0
        for _ in range(600):
            allowed = np.asarray(mask(state)) if restricted else np.ones((driver.PLAYED, 43), bool)
            action = np.argmax(np.where(allowed, rng.random(allowed.shape), -1), axis=1)
            _, state, reward, *_ = driver.step_on(state, jnp.asarray(action, jnp.int32))
            total += float(reward.sum())
        return total

    assert earn(restricted=True) > 1.5 * earn(restricted=False)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rules",
    [replace(COOP, players=2, sharing=0.25), replace(COOP, players=3, revival=False, sharing=1.0)],
    ids=["2", "3 out"],
)
def test_a_masked_action_is_noop_whatever_the_others_do(rules):
    rng = np.random.default_rng([rules.players, 41])
    state = coop_scenes.scramble(driver.blank(rules), rng, rules, crowd=0.5, reach=3, wild=0.3)
    mask = masked(state, rules)
    assert mask.shape == (WORLDS, rules.players, rules.actions)
    ladders = state.world.floors.ladders[np.arange(WORLDS), state.world.floor]
    position = state.world.player.position
    climbs = (position[:, :, None] == ladders[:, None]).all(axis=-1).any(axis=-1)
    wasted = allowed = 0
    for me in range(rules.players):
        action = coop_scenes.apt(state, rng, rules)
        idle = changed_by(state, action, me, Action.NOOP, rules)
        stays = ~np.delete(climbs, me, axis=1).any(axis=1)
        for mine in range(1, rules.actions):
            changed, said = unlike(idle, changed_by(state, action, me, mine, rules)), mask[:, me, mine]
            assert not (changed & ~said).any(), Action(mine).name
            wasted += (said & ~changed & stays).sum() * (mine not in (Action.DO, Action.REST))
            allowed += (said & stays).sum()
    # Crowds were made for this: each counts on a tile, a slot or a hand that another may take or fill first.
    assert wasted <= 0.1 * allowed


def changed_by(state: Any, action: np.ndarray, me: int, mine: int, rules: Rules) -> Any:
    """What comes of everybody's actions, mine replaced."""
    action = action.copy()
    action[:, me] = mine
    return driver.play(state, action, rules)[1:5]


@pytest.mark.slow
def test_a_step_and_its_mask_copy_no_map():
    world = driver.environment()

    def run(state: Any, action: Any) -> Any:
        obs, state, reward, terminated, truncated, info = world.step(state, action)
        return (obs, info.final_obs), world.action_mask(state), state, reward, terminated, truncated

    state = world.state_shape(64)
    assert not copies_of_the_map(optimised(run, state, jax.ShapeDtypeStruct((64,), jnp.int32)))
