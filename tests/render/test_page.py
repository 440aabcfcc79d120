"""The replay page holds what was played, no less, no more, and nothing that would reach out."""

import base64
import hashlib
import io
import json
import re
import zlib

import numpy as np
import pytest

from openworld.art import atlas
from openworld.content.ids import Block, Direction, Fixture, Item, Projectile
from openworld.content.rulesets import FULL
from openworld.render import page
from openworld.render.episode import Episode
from openworld.render.sheet import COLUMNS
from openworld.system import foreign_text
from tests.render import episodes
from tests.test_foreign_text import HOSTILE, Tags

imageio = pytest.importorskip("imageio.v3")


@pytest.fixture(scope="module")
def shown() -> list[Episode]:
    return episodes.shown()


@pytest.fixture(scope="module")
def text(shown) -> str:
    return page.page(shown)


@pytest.fixture(scope="module")
def held(text):
    """What the page's script reads."""
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(data)


def unpacked(record, game):
    """A player's tokens, places, actions and rewards, as the page reads them."""
    data, frames = zlib.decompress(base64.b64decode(record["data"])), record["steps"] + 1
    sizes = np.cumsum([frames * game["tokens"], frames * 2, frames])
    tokens, places, actions, rewards = (data[a:b] for a, b in zip([0, *sizes], [*sizes, None], strict=True))
    return (
        np.frombuffer(tokens, np.uint8).reshape(frames, -1),
        np.frombuffer(places, np.uint8).reshape(frames, 2),
        np.frombuffer(actions, np.uint8),
        np.frombuffer(rewards, "<f4"),
    )


def test_the_page_holds_every_frame(shown, held):
    players = [(e, p) for e in shown for p in range(e.players)]
    assert len(held["agents"]) == len(players) == 4
    for record, (episode, player) in zip(held["agents"], players, strict=True):
        tokens, places, actions, rewards = unpacked(record, held["games"][record["game"]])
        assert np.array_equal(tokens, episode.tokens[:, player])
        assert np.array_equal(places, episode.places[:, player])
        assert actions[0] == 0
        done = episode.replay.actions.reshape(episode.steps, episode.players)
        assert np.array_equal(actions[1:], done[:, player])
        assert np.array_equal(rewards, episode.rewards[:, player])
        assert record["achievements"] == [[frame, int(a)] for frame, a in episode.achievements(player)]
    assert [(r["player"], r["players"]) for r in held["agents"]] == [(0, 1), (0, 1), (0, 2), (1, 2)]
    assert held["agents"][0]["achievements"] == [[2, 0], [5, 1]]


def test_the_sheet_holds_the_art(held):
    sheet = imageio.imread(io.BytesIO(base64.b64decode(held["sheet"].split(",")[1])))

    def sprite(number):
        row, col = divmod(number, COLUMNS)
        return sheet[row * 16 : row * 16 + 16, col * 16 : col * 16 + 16]

    def same(number, art):
        found = sprite(number)
        opaque = art[..., 3] > 0 if art.shape[2] == 4 else np.ones((16, 16), bool)
        return np.array_equal(found[..., 3] > 0, opaque) and np.array_equal(
            found[opaque][:, :3], art[opaque][:, :3]
        )

    numbers = held["sprites"]
    closed = Block.PATH | Fixture.LADDER_DOWN_BLOCKED << 6
    for look in (0, Block.GRASS, closed, Block.NECROMANCER_VULNERABLE):
        assert same(numbers["tile"][str(int(look))], atlas.tiles()[look])
    assert same(numbers["creature"]["1"], atlas.creature(0, 0))
    assert same(numbers["missile"][Projectile.DAGGER], atlas.projectile(Projectile.DAGGER))
    assert same(numbers["player"][1][Direction.UP], atlas.player(Direction.UP, False, 1))
    assert same(numbers["player"][0][4], atlas.player(Direction.DOWN, True))
    assert same(numbers["player"][3][5], atlas.fallen(3))
    assert same(numbers["tool"][str(int(Item.SWORD))][3], atlas.tool(Item.SWORD, 4))
    assert same(numbers["item"][str(int(Item.WOOD))], atlas.icon(Item.WOOD))
    assert same(numbers["armour"][1][0], atlas.armour(1, 1))


def test_every_token_has_a_sprite_and_every_number_a_name(shown, held):
    for episode in shown:
        game = held["games"][episode.rules.name]
        assert len(game["actions"]) == episode.rules.actions
        assert len(game["achievements"]) == len(game["weights"]) == episode.rules.achievements
        for name in ("tile", "creature"):
            offset, size = game["layout"][name]
            seen = set(np.unique(episode.tokens[..., offset : offset + size]).tolist()) - {0}
            assert seen <= set(map(int, held["sprites"][name]))
        for item in game["items"]:
            assert item in held["sprites"]["item"] or item in held["sprites"]["tool"]


def test_the_page_asks_for_nothing(text):
    for reach in (
        "http:",
        "https:",
        "fetch(",
        "XMLHttpRequest",
        "WebSocket",
        "@import",
        "url(",
        "import(",
        "eval(",
    ):
        assert reach not in text
    for address in re.findall(r"(?:src|href)\s*=\s*[\"']([^\"']*)", text):
        assert address.startswith("data:")


def test_only_the_pages_own_script_and_style_may_run(text):
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(part.strip().split(" ", 1) for part in policy.split(";"))
    (style,) = re.findall(r"<style>(.*?)</style>", text, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    for name, body in (("style-src", style), ("script-src", script)):
        digest = base64.b64encode(hashlib.sha256(body.encode()).digest()).decode()
        assert rules.pop(name) == f"'sha256-{digest}'"
    assert rules == {
        "default-src": "'none'",
        "img-src": "data:",
        "base-uri": "'none'",
        "form-action": "'none'",
    }
    assert "{{" not in text
    assert not re.search(
        r"\sstyle=|\son[a-z]+=", text.split("<style>")[0] + text.split("</style>")[1].split("<script")[0]
    )


def test_a_name_is_never_markup():
    named = episodes.episode(episodes.scenes()[:3], name='</script><b title="{{data}}">')
    text = page.page([named])
    assert "</script><b" not in text
    assert "&lt;/script&gt;" in text
    assert text.count("</script>") == 2


@pytest.mark.parametrize("name", HOSTILE)
def test_foreign_names_stay_text(name):
    frames = episodes.scenes()[:2]
    text, harmless = (page.page([episodes.episode(frames, name=found)]) for found in (name, "harmless"))
    # The script of the page speaks of elements; a parser knows that it has none.
    assert Tags(text).found == Tags(harmless).found
    assert text.count("\n") == harmless.count("\n")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069\ufeff]", text)
    (data,) = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    assert json.loads(data)["agents"][0]["name"] == foreign_text.plain(name)


def test_a_long_episode_is_a_small_page():
    """Ten thousand steps, each on another tile of a wild map, in changing light, among creatures."""
    rng = np.random.default_rng(0)
    ground = rng.choice([2, 3, 4, 5, 7, 13], (60, 60)).astype(np.uint8)
    row, col, frames = 24, 24, []
    for step in range(10_001):
        row, col = (
            min(max(n + int(d), 5), 50) for n, d in zip((row, col), rng.integers(-1, 2, 2), strict=True)
        )
        creature = np.zeros(99)
        creature[rng.integers(0, 99, 2)] = 1, 9
        tile = ground[row - 4 : row + 5, col - 5 : col + 6]
        frames.append(episodes.scene(tile=tile, creature=creature, daylight=step % 250, health=step % 9))
    text = page.page([episodes.episode(frames)])
    assert len(text) < 3_000_000


@pytest.mark.parametrize("count", [0, 17])
def test_too_few_or_many_are_refused(count):
    one = episodes.episode(episodes.scenes()[:2])
    with pytest.raises(ValueError, match=f"a page shows 1 to 16 players, not {count}"):
        page.page([one] * count)


def test_a_page_is_written_whole(tmp_path):
    path = page.write([episodes.episode(episodes.scenes())], tmp_path / "new" / "a.html")
    assert path.read_text().startswith("<!doctype html>")
    assert [p.name for p in path.parent.iterdir()] == ["a.html"]


def test_an_episode_that_is_over_stays_as_it_was():
    one = episodes.episode(episodes.scenes())
    assert np.array_equal(one.at(99), one.at(one.steps))
    assert one.rules is FULL
