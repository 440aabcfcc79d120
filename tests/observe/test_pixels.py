"""The small pictures: what they show of each token, tile by tile, and that they never change unasked."""

import functools
import itertools
import struct
import zlib
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np
import pytest

import openworld
from openworld.art import atlas, small
from openworld.content.encoding import PLAYER_PROJECTILES
from openworld.content.ids import Block, Direction, Fixture, Kind, Projectile
from openworld.content.rulesets import CLASSIC, COOP, FULL
from openworld.observe.layout import AWAKE_MARK, layout_of
from openworld.observe.pixels.frames import pixels, pixels_shape
from openworld.observe.pixels.patches import patches_of
from openworld.observe.pixels.slots import slots
from openworld.observe.seen import Seen
from tests.observe import helpers_scenes as scenes
from tests.oracle import book, driver

RULES = {FULL: 10, CLASSIC: 7, COOP: 10}
SCENES = scenes.every()


@functools.cache
def program(rules):
    return jax.jit(lambda tokens: pixels(tokens, rules))


def shown(*some):
    """The pictures of some scenes of the same rules."""
    batch = np.stack([scene.tokens for scene in some])
    padded = np.resize(batch, (-(-len(batch) // 8) * 8, batch.shape[1]))
    return np.asarray(program(some[0].rules)(jnp.asarray(padded)))[: len(batch)]


def tile_of(image, row, col, size):
    return image[row * size : (row + 1) * size, col * size : (col + 1) * size]


def laid(tokens, rules):
    """The view painted tile by tile, as bright as by day: without a table."""
    seen, size = Seen(tokens, rules), RULES[rules]
    image = np.zeros((seen.shape[0] * size, seen.shape[1] * size, 3), np.uint8)

    def lay(row, col, art):
        np.copyto(tile_of(image, row, col, size), art[..., :3], where=art[..., 3:] > 0)

    for row, col in np.ndindex(*seen.shape):
        tile_of(image, row, col, size)[:] = small.tile(int(seen.tile[row, col]), size)
    for row, col, kind, number in seen.creatures():
        if (row, col) != seen.middle:
            lay(row, col, small.shrunk(atlas.creature(kind, number), size))
    highest = {(row, col): kind for row, col, kind in sorted(seen.projectiles(), key=lambda found: found[2])}
    for (row, col), kind in highest.items():
        if (row, col) != seen.middle:
            lay(row, col, small.shrunk(atlas.projectile(Projectile(kind)), size))
    facing = Direction(seen.value("facing"))
    me = small.shrunk(atlas.player(facing, seen.flag("asleep"), 0), size)
    lay(*seen.middle, me if seen.flag("asleep") else small.facing(me, facing))
    return image


def test_the_pictures_are_those_that_were_looked_at(golden):
    found = {}
    for rules, group in itertools.groupby(SCENES.items(), key=lambda item: item[1].rules):
        named = dict(group)
        for name, image in zip(named, shown(*named.values()), strict=True):
            found[name] = f"{zlib.crc32(image.tobytes()):08x}"
        assert image.shape == pixels_shape(rules)
    golden("pixels", found)
    assert len(set(found.values())) == len(found)


def test_shapes_are_the_published_ones():
    full, classic = (openworld.make(id) for id in ("OpenWorld-Pixels-v0", "OpenWorld-Classic-Pixels-v0"))
    assert (full.observation_shape, classic.observation_shape) == ((130, 110, 3), (63, 63, 3))
    assert full.observation_dtype == classic.observation_dtype == np.uint8
    several = openworld.make("OpenWorld-Coop-v0", num_agents=3, observation="pixels")
    assert several.observation_shape == (3, 130, 110, 3)
    for rules in RULES:
        assert [len(row) for row in slots(rules, 7)] == [rules.view_cols] * (4 if rules is not CLASSIC else 2)


@pytest.mark.slow
@pytest.mark.parametrize("played", [book.FULL, book.CLASSIC], ids=lambda rules: rules.id)
def test_what_is_played_is_shown_tile_by_tile(played):
    rules = driver.environment(played).ruleset
    _, state = driver.environment(played).reset(21, driver.PLAYED)
    rng, told = np.random.default_rng(4), []
    for _ in range(24):
        action = jnp.asarray(rng.integers(0, rules.actions, driver.PLAYED).astype(np.int32))
        obs, state, *_ = driver.step_on(state, action, played)
        told.append(np.array(obs))
    tokens, layout = np.concatenate(told[::8]), layout_of(rules)
    tokens[:, layout["daylight"].offset], tokens[:, layout["asleep"].offset] = 250, 0
    view = rules.view_rows * RULES[rules]
    for part in np.split(tokens, len(tokens) // 8):
        for image, row in zip(program(rules)(jnp.asarray(part)), part, strict=True):
            np.testing.assert_array_equal(image[:view], laid(row, rules))


@pytest.mark.parametrize("rules", [FULL, CLASSIC], ids=lambda rules: rules.name)
def test_anybody_is_shown_wherever_it_can_stand(rules):
    """Creatures before missiles on every footing, drawn at random."""
    size, footings = RULES[rules], np.flatnonzero(patches_of(rules).footing[:256])
    rng, layout = np.random.default_rng(7), layout_of(rules)
    kinds = [scenes.NAMED[row.name] for row in rules.creatures]
    flying = [1 << kind for kind in Projectile if layout["missile"].high >> kind & 1]
    own = [32, 64, 128] if layout["light"].high > 31 else [0]
    some = [scenes.Scene(rules, ladder_open=i % 2, facing=i % 4) for i in range(8)]
    for scene in some:
        shape = scene.plane("tile").shape
        scene.plane("tile")[:] = rng.choice(footings, shape)
        for name, values, share in (("creature", kinds, 0.7), ("missile", flying, 0.5), ("light", own, 0.1)):
            drawn = rng.choice(values, shape) * (rng.random(shape) < share)
            scene.plane(name)[:] += drawn.astype(np.uint8)
    for scene, image in zip(some, shown(*some), strict=True):
        np.testing.assert_array_equal(image[: rules.view_rows * size], laid(scene.tokens, rules))


def test_one_is_shown_as_many_are():
    scene = SCENES["meadow"]
    many = shown(scene, SCENES["night"])
    np.testing.assert_array_equal(pixels(jnp.asarray(scene.tokens)), many[0])
    pair = jnp.asarray(np.stack([scene.tokens, SCENES["night"].tokens]))
    np.testing.assert_array_equal(jax.jit(jax.vmap(pixels))(pair), many)
    assert program(FULL)(pair.reshape(2, 1, -1)).shape == (2, 1, 130, 110, 3)


def test_night_darkness_and_sleep_dim_the_view_and_nothing_else():
    hours = [scenes.meadow(daylight=hour) for hour in (250, 150, 60, 0)]
    asleep = [scenes.meadow(daylight=hour, asleep=1) for hour in (250, 0)]
    day, *later, sleeping, deep = shown(*hours, *asleep).astype(int)
    views = [image[:90] for image in (day, *later)]
    for brighter, darker in itertools.pairwise(views):
        assert (darker <= brighter).all()
        assert darker.mean() < 0.95 * brighter.mean()
    assert views[-1].mean() > 15
    # Night is blue.
    red, _, blue = views[-1].mean(axis=(0, 1)) / views[0].mean(axis=(0, 1))
    assert blue > 1.5 * red
    assert sleeping[:90].mean() < 0.6 * day[:90].mean()
    assert 3 < deep[:90].mean() < 0.6 * views[-1].mean()
    # Below, only the sun and the moon differ.
    changed = (np.stack(later)[:, 90:] != day[90:]).any(axis=(0, 3))
    assert {(row // 10, col // 10) for row, col in np.argwhere(changed).tolist()} == {(3, 4)}
    # No hour below the ground.
    caves = [scenes.Scene(FULL, Block.PATH, floor=2, daylight=hour) for hour in (250, 0)]
    bright, dark = shown(*caves)
    np.testing.assert_array_equal(bright[:90], dark[:90])


def test_light_dims_tile_by_tile_and_the_player_is_always_seen():
    light = np.linspace(30, 2, 99).astype(int)
    view = shown(scenes.Scene(FULL, Block.SAND, floor=2, light=0).set(light=light))[0][:90].astype(int)
    means = [tile_of(view, *divmod(tile, 11), 10).mean() for tile in range(99) if tile != 49]
    assert all(brighter >= darker for brighter, darker in itertools.pairwise(means))
    assert means[-1] < 0.35 * means[0]
    black = shown(SCENES["black"])[0][:90].astype(int)
    me = tile_of(black, 4, 5, 10).copy()
    assert me.max() > 200
    tile_of(black, 4, 5, 10)[:] = 0
    assert black.max() < 10


def test_each_field_changes_the_picture():
    plain = scenes.Scene()
    high = {name: field.high for name, field in plain.layout.items()}
    changes = {
        "tile": Block.SAND,
        "creature": 9,
        "missile": 1,
        "light": 10,
        "facing": 0,
        "daylight": 40,
        "floor": 3,
    }
    changes |= {name: value for name, value in high.items() if name not in changes}
    # Bound to nothing, an enchantment is not shown.
    plain.carry(SWORD=1, BOW=1).set(armour=1)
    some = [
        scenes.Scene().carry(SWORD=1, BOW=1).set(**{"armour": 1, name: value})
        for name, value in changes.items()
    ]
    first, *rest = shown(plain, *some)
    same = [name for name, image in zip(changes, rest, strict=True) if np.array_equal(first, image)]
    # Only fortieths of a point of health are too fine for a picture.
    assert same == ["health_fraction"]


@pytest.mark.parametrize("size", [7, 10])
def test_things_are_told_apart_at_this_size(size):
    def least(pictures):
        pairs = itertools.combinations([p[..., :3].astype(int) for p in pictures], 2)
        return min(np.mean(np.abs(a - b).max(axis=-1) > 24) for a, b in pairs)

    rules = CLASSIC if size == 7 else FULL
    blocks = [
        b for b in Block if (b <= Block.RIPE_PLANT or size == 10) and b not in (Block.INVALID, Block.DARKNESS)
    ]
    assert least([small.tile(block, size) for block in blocks]) > 0.04
    looks = [Block.PATH | fixture << 6 for fixture in Fixture]
    assert least([small.tile(look, size) for look in looks]) > 0.08
    grass = small.tile(Block.GRASS, size)
    bodies = [small.shrunk(atlas.creature(Kind(row.kind), row.number), size) for row in rules.creatures]
    mine = [small.facing(small.shrunk(atlas.player(way, False), size), way) for way in Direction]
    standing = [np.where(art[..., 3:] > 0, art[..., :3], grass) for art in (*bodies, *mine)]
    assert least([*standing, grass]) > 0.05


def test_numbers_are_told_apart():
    for rules, size in ((FULL, 10), (CLASSIC, 7)):
        for slot in (slot for row in slots(rules, size) for slot in row):
            # Of what one does not have, no enchantment is shown.
            bare = 2 * (slot.weight == 3)
            assert len({face.tobytes() for face in slot.faces}) == len(slot.faces) - bare


def test_a_missile_of_the_players_own_and_a_missile_before_a_creature_are_seen():
    bare, own, cow, both = (scenes.Scene() for _ in range(4))
    own.put(1, 1, light=30 | 32)
    cow.put(1, 1, creature="cow")
    both.put(1, 1, creature="cow", missile=Projectile.FIREBALL)
    tiles = [tile_of(image, 3, 6, 10) for image in shown(bare, own, cow, both)]
    assert len({tile.tobytes() for tile in tiles}) == 4
    assert PLAYER_PROJECTILES[0] == Projectile.ARROW2
    arrow = small.shrunk(atlas.projectile(Projectile.ARROW2), 10)
    np.testing.assert_array_equal(tiles[1][arrow[..., 3] > 0], arrow[arrow[..., 3] > 0][:, :3])


def test_the_page_tells_the_sizes():
    page = (Path(__file__).parents[2] / "docs" / "reference" / "observation.md").read_text()
    for rules, names in ((FULL, "full, endless, coop"), (CLASSIC, "classic")):
        (height, width, _), size = pixels_shape(rules), RULES[rules]
        below = f"{height // size - rules.view_rows} rows of {rules.view_cols}"
        view = f"{rules.view_rows} x {rules.view_cols} tiles"
        assert f"| {names} | {height} x {width} | {size} x {size} | {view} | {below} |" in page


def test_the_pages_picture_is_todays():
    """If it shall change: python -m tests.observe.helpers_scenes."""
    data = (Path(__file__).parents[2] / "docs" / "pictures" / "pixels.png").read_bytes()
    width, height = struct.unpack(">II", data[16:24])
    size = struct.unpack(">I", data[33:37])[0]
    rows = np.frombuffer(zlib.decompress(data[41 : 41 + size]), np.uint8).reshape(height, 1 + 3 * width)
    np.testing.assert_array_equal(rows[:, 1:].reshape(height, width, 3), scenes.page())


def test_any_tokens_make_a_picture():
    rng = np.random.default_rng(0)
    for rules in RULES:
        tokens = rng.integers(0, 256, (8, layout_of(rules).size)).astype(np.uint8)
        assert program(rules)(jnp.asarray(tokens)).shape == (8, *pixels_shape(rules))


def test_players_in_coop_have_coats_of_their_own():
    view = shown(SCENES["coop"])[0][:90]
    for row in (6, 7):
        assert len({tile_of(view, row, number, 10).tobytes() for number in range(8)}) == 8
    alone = scenes.Scene(COOP, player=2, facing=Direction.UP).put(
        1, 0, creature=AWAKE_MARK + 4 * 2 + Direction.UP
    )
    image = shown(alone)[0]
    np.testing.assert_array_equal(tile_of(image, 3, 5, 10), tile_of(image, 4, 5, 10))


@pytest.mark.slow
def test_steps_that_show_pictures_are_those_that_show_tokens():
    world = openworld.make("OpenWorld-Classic-Pixels-v0", time_limit=3)
    plain = openworld.make("OpenWorld-Classic-v0", time_limit=3)
    obs, state = world.reset(4, 8)
    tokens, same = plain.reset(4, 8)
    np.testing.assert_array_equal(obs, program(CLASSIC)(tokens))
    action = jnp.arange(8, dtype=jnp.int32)
    for _ in range(3):
        obs, state, *_, truncated, info = world.step(state, action)
        tokens, same, *_, told = plain.step(same, action)
        np.testing.assert_array_equal(obs, program(CLASSIC)(tokens))
        np.testing.assert_array_equal(info.final_obs, program(CLASSIC)(told.final_obs))
    assert truncated.all()
    assert (np.asarray(obs) != info.final_obs).any()
