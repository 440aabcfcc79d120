"""The words: what they tell of each token, and how long they get."""

from pathlib import Path

import jax.numpy as jnp
import numpy as np
import pytest

from openworld.content.ids import Block, Direction, Fixture, Projectile
from openworld.content.rulesets import CLASSIC, COOP, ENDLESS, FULL
from openworld.observe.layout import AWAKE_MARK, FALLEN_MARK, SAME_PLACE, layout_of
from openworld.observe.text import CHARACTERS, LONGEST, text
from tests.observe import helpers_scenes as scenes
from tests.oracle import book, driver


def told(scene):
    return text(scene.tokens, scene.rules)


def test_a_meadow_line_by_line():
    scene = scenes.meadow(facing=Direction.LEFT).put(0, -1, creature="zombie").carry(WOOD=3, PICKAXE=2, BOW=1)
    assert told(scene).splitlines() == [
        "You stand in the overworld on grass. Around you: up tree, right grass, down water, "
        "left zombie on grass (faced).",
        "Creatures: zombie 1 left, zombie 2 left, cow 2 right, skeleton 2 down 3 left.",
        "In flight: arrow 2 down 2 left.",
        "In view (9 rows of 11 tiles): tree 1 up; 90 grass, nearest 1 left; water 1 down and 2 down; "
        "crafting table 2 up 2 right; path 2 down 2 left and 2 down 3 left; furnace 2 up 3 right; "
        "diamond 3 up 3 left.",
        "Day: daylight 100%.",
        "Health 9, food 9, drink 9, energy 9, mana 9. You are awake.",
        "You carry 3 wood, stone pickaxe, bow.",
        "Experience to spend 0; dexterity 1, strength 1, intelligence 1.",
        "The ladder down is closed: too few monsters slain here.",
    ]


def test_the_classic_text_tells_what_its_rules_have_and_no_more():
    assert told(
        scenes.Scene(CLASSIC, daylight=100, asleep=1, vitals=[5, 0, 3, 9]).carry(SAPLING=2)
    ).splitlines() == [
        "You stand on grass. Around you: up grass, right grass, down grass (faced), left grass.",
        "No creatures in view.",
        "In view (7 rows of 9 tiles): 62 grass, nearest 1 up.",
        "Dusk: daylight 40%.",
        "Health 9, food 5, drink 0, energy 3. You are asleep.",
        "You carry 2 sapling.",
    ]


@pytest.mark.parametrize(
    ("way", "place"), [("up", (1, 0)), ("right", (0, 1)), ("down", (-1, 0)), ("left", (0, -1))]
)
def test_the_faced_tile_is_named(way, place):
    scene = scenes.Scene(facing=Direction[way.upper()]).put(*place, Block.CHEST)
    assert f"{way} chest (faced)" in told(scene)
    assert f"chest 1 {way}" in told(scene)


def test_below_the_ground():
    mine = told(scenes.mine())
    assert "You stand in the gnomish mines on path." in mine
    assert "Creatures: gnome warrior 1 up 1 left." in mine
    assert "In flight: your fireball 1 left." in mine
    assert "torch on path 1 up 2 left" in mine
    assert "tiles are too dark to see." in mine
    assert "daylight" not in mine
    black = told(scenes.Scene(FULL, 0, light=0, floor=5))
    assert "on darkness" in black
    assert "tiles): nothing." in black
    assert "99 tiles are too dark" in black


def test_ladders_are_open_or_closed():
    below = scenes.Scene(FULL, Block.PATH, floor=1).put(0, 2, Block.PATH | Fixture.LADDER_DOWN << 6)
    below.put(0, -2, Block.PATH | Fixture.LADDER_UP << 6)
    assert "closed ladder down on path 2 right" in told(below)
    assert "ladder up on path 2 left" in told(below)
    assert "The ladder down is closed" in told(below)
    below.set(ladder_open=1)
    assert "open ladder down on path 2 right" in told(below)
    assert "The ladder down is open." in told(below)


def test_the_necromancer_can_be_hurt_or_not():
    assert "necromancer (shielded) 2 up" in told(scenes.graveyard(0))
    assert "The necromancer cannot be hurt now." in told(scenes.graveyard(0))
    assert "necromancer (can be hurt) 2 up" in told(scenes.graveyard(1))
    assert "The necromancer can be hurt now." in told(scenes.graveyard(1))
    assert "grave, nearest" in told(scenes.graveyard(0))


def test_floors_below_the_last_of_an_endless_world_are_numbered():
    assert "You stand on floor 30 on path." in told(scenes.Scene(ENDLESS, Block.PATH, floor=30))


def test_whose_missile_flies_is_told():
    scene = scenes.Scene().put(3, 0, light=30 | 32).put(2, 1, missile=Projectile.ARROW2)
    assert "In flight: your arrow 3 up, arrow 2 up 1 right." in told(scene)
    assert "In flight: a player's arrow" in told(scenes.Scene(COOP).put(3, 0, light=30 | 32))


def test_each_field_changes_the_text():
    usual = {"armour": 1, "player_state": 1, "player_row": 64, "player_col": 64}
    others = {"tile": Block.SAND, "creature": 9, "missile": 1, "light": 62, "facing": 0, "daylight": 40}
    plain = told(scenes.Scene(COOP, **usual).carry(SWORD=1, BOW=1))
    for name, field in layout_of(COOP).items():
        changed = (
            scenes.Scene(COOP, **usual).carry(SWORD=1, BOW=1).set(**{name: others.get(name, field.high)})
        )
        # Only on the necromancer's floor is it told whether he can be hurt.
        assert (told(changed) != plain) == (name != "boss_vulnerable"), name


def test_health_has_its_fractions():
    assert "Health 9.5, food" in told(scenes.Scene(health_fraction=20))
    assert "Health 9.02, food" in told(scenes.Scene(health_fraction=1))
    assert "Health 9.97, food" in told(scenes.Scene(health_fraction=39))


def test_other_players_are_described_near_and_far():
    scene = scenes.Scene(COOP, player=1).put(0, 2, creature=AWAKE_MARK + 4 * 3 + Direction.UP)
    scene.put(0, -2, creature=FALLEN_MARK + 2)
    row, col, health, state = np.zeros((4, 8), int)
    row[[0, 1, 2, 3]] = SAME_PLACE + np.array([-20, 0, 0, 0])
    col[[0, 1, 2, 3]] = SAME_PLACE + np.array([5, 0, -2, 2])
    health[[0, 1, 3]], state[[0, 1, 2, 3]] = [7, 9, 4], [2, 1, 3, 1]
    scene.set(player_row=row, player_col=col, player_health=health, player_state=state)
    assert "Creatures: player 2 (fallen) 2 left, player 3 (awake) 2 right." in told(scene)
    assert told(scene).splitlines()[-1] == (
        "You are player 1. Other players: player 0 20 up 5 right, health 7, asleep or resting; "
        "player 2 2 left, health 0, fallen; player 3 2 right, health 4, awake."
    )
    assert "You are fallen, waiting to be revived." in told(scenes.Scene(COOP, fallen=1))


def test_every_scene_has_a_text_of_its_own():
    texts = [told(scene) for scene in scenes.every().values()]
    assert len(set(texts)) == len(texts)
    assert set("".join(texts)) <= set(CHARACTERS)
    assert max(map(len, texts)) < LONGEST


@pytest.mark.slow
@pytest.mark.parametrize("played", [book.FULL, book.CLASSIC], ids=lambda rules: rules.id)
def test_what_is_played_is_told_shortly(played):
    rules = driver.environment(played).ruleset
    _, state = driver.environment(played).reset(22, driver.PLAYED)
    rng = np.random.default_rng(5)
    for _ in range(40):
        action = jnp.asarray(rng.integers(0, rules.actions, driver.PLAYED).astype(np.int32))
        obs, state, *_ = driver.step_on(state, action, played)
        for tokens in np.asarray(obs):
            words = text(tokens, rules)
            assert len(words) < 1500
            assert set(words) <= set(CHARACTERS)
            assert words == text(tokens.copy(), rules)


def test_the_page_has_such_a_text():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "observation.md").read_text()
    scene = scenes.meadow().carry(WOOD=3, PICKAXE=2, SAPLING=1)
    assert f"```text\n{told(scene)}```\n" in page


def test_tokens_of_other_rules_are_refused():
    with pytest.raises(ValueError, match="tokens must be uint8"):
        text(scenes.Scene(CLASSIC).tokens, FULL)


def test_the_longest_text_is_within_what_is_promised():
    rng = np.random.default_rng(0)
    for rules in (FULL, CLASSIC, COOP):
        scene = scenes.blocks(rules) if rules is not COOP else scenes.coop()
        shape = scene.plane("tile").shape
        scene.plane("creature")[:] = rng.choice([0, 0, 0, 1, 9], shape)
        scene.plane("missile")[:] = 1 * (rng.random(shape) < 0.05)
        assert len(told(scene)) < LONGEST
