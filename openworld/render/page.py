"""The replay page: episodes side by side in one HTML file, which needs no network and no other file.

Python plays the replays again and packs the frames; the page's script (assets/replay) paints them. It has:

* a sheet of sprites, one PNG;
* for each ruleset, the layout of its tokens and the names of its items, actions and so on;
* for each player, zlib-compressed bytes: uint8[frames, tokens], uint8[frames, 2] places, uint8[frames]
  actions and little-endian float32[frames] rewards. Frame 0 is before the first step: its action and reward
  are 0.

Its content security policy allows its own script and style (by hash) and its own pictures. It loads nothing.
"""

import base64
import json
import re
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from openworld.art import atlas
from openworld.content.achievements import WEIGHTS
from openworld.content.encoding import creature_mark
from openworld.content.ids import Achievement, Action, Attribute, Block, Direction, Fixture, Vital
from openworld.content.rulesets import Ruleset
from openworld.content.units import DAYLIGHT_LEVELS, LIGHT_LEVELS
from openworld.observe import names
from openworld.observe.layout import layout_of
from openworld.observe.seen import items_of
from openworld.render import png
from openworld.render.episode import Episode
from openworld.render.messages import title
from openworld.render.sheet import COLUMNS, Sheet, sprites
from openworld.system.files import asset, replacing
from openworld.system.foreign_text import html, plain, policy

#: The files of the page's script, in order.
SCRIPTS = ("data.js", "picture.js", "words.js", "status.js", "map.js", "charts.js", "panel.js", "page.js")
#: The most players of a page.
MOST = 16


def write(episodes: Sequence[Episode], path: str | Path) -> Path:
    """Write the page of some episodes; an existing file is replaced whole or not at all."""
    path, text = Path(path), page(episodes)
    with replacing(path) as aside:
        aside.write_text(text, encoding="utf-8")
    return path


def page(episodes: Sequence[Episode]) -> str:
    """Return the HTML of the page of one or more episodes, all players side by side."""
    agents = sum(episode.players for episode in episodes)
    if not 1 <= agents <= MOST:
        raise ValueError(f"a page shows 1 to {MOST} players, not {agents}")
    style = _asset("page.css")
    script = "\n".join(_asset(name) for name in SCRIPTS)
    sheet = Sheet()
    data = json.dumps(contents(episodes, sheet), separators=(",", ":"))
    title = " beside ".join(dict.fromkeys(e.name or e.replay.id for e in episodes))
    parts = {
        "title": html(title, 400),
        "policy": policy(style, script),
        "icon": _uri(atlas.player(Direction.DOWN, False)),
        "style": style,
        "script": script,
        # No text can end the element it stands in.
        "data": data.replace("<", "\\u003c"),
    }
    return re.sub(r"\{\{(.*?)\}\}", lambda place: parts[place[1]], _asset("page.html"))


def contents(episodes: Sequence[Episode], sheet: Sheet) -> dict[str, Any]:
    """Return the data of a page, for JSON."""
    games = {episode.rules.name: episode.rules for episode in episodes}
    seen = [(e.rules, e.tokens.reshape(-1, e.tokens.shape[-1])) for e in episodes]
    return {
        "games": {name: game(rules) for name, rules in games.items()},
        "sprites": sprites(sheet, seen),
        "columns": COLUMNS,
        "sheet": _uri(sheet.image()),
        "agents": [agent(episode, p) for episode in episodes for p in range(episode.players)],
    }


def game(rules: Ruleset) -> dict[str, Any]:
    """Return the data of a ruleset: how to read its tokens."""
    layout = layout_of(rules)
    return {
        "tokens": layout.size,
        "layout": {name: [field.offset, field.size] for name, field in layout.items()},
        "has": {name: field.high > 0 for name, field in layout.items()},
        "view": [rules.view_rows, rules.view_cols],
        "ground": [rules.rows, rules.cols],
        "floors": [title(row.floor) for row in rules.floors],
        "bosses": [row.boss for row in rules.floors],
        "light": LIGHT_LEVELS,
        "daylight": DAYLIGHT_LEVELS,
        "items": {str(int(item)): title(item) for item in items_of(rules)},
        "actions": [title(Action(a)) for a in range(rules.actions)],
        "achievements": [title(Achievement(a)) for a in range(rules.achievements)],
        "weights": [WEIGHTS[Achievement(a)] for a in range(rules.achievements)],
        "vitals": [title(vital) for vital in Vital if vital != Vital.MANA or layout["spells"].high],
        "attributes": [title(attribute) for attribute in Attribute],
        "creatures": {
            str(creature_mark(kind, number)): name for (kind, number), name in names.creatures().items()
        },
        "levels": list(names.LEVELS),
        "ladder": [Fixture.LADDER_DOWN, Fixture.LADDER_DOWN_BLOCKED],
        "necromancer": [Block.NECROMANCER, Block.NECROMANCER_VULNERABLE],
    }


def agent(episode: Episode, player: int) -> dict[str, Any]:
    """Return the data of a player of an episode."""
    replay = episode.replay
    return {
        "name": plain(episode.name),
        "player": player,
        "players": episode.players,
        "world": plain(replay.id),
        "game": episode.rules.name,
        "rules": plain(replay.ruleset),
        "seed": list(replay.seed),
        "steps": episode.steps,
        "ended": plain(replay.ended),
        "limit": replay.time_limit,
        "achievements": [[frame, int(a)] for frame, a in episode.achievements(player)],
        "data": base64.b64encode(zlib.compress(packed(episode, player), 9)).decode(),
    }


def packed(episode: Episode, player: int) -> bytes:
    """Return a player's frames as bytes; the module's docstring has the format."""
    actions = np.zeros(episode.steps + 1, np.uint8)
    actions[1:] = episode.replay.actions.reshape(episode.steps, episode.players)[:, player]
    parts = (
        episode.tokens[:, player],
        episode.places[:, player],
        actions,
        episode.rewards[:, player].astype("<f4"),
    )
    return b"".join(np.ascontiguousarray(part).tobytes() for part in parts)


def _asset(name: str) -> str:
    return asset(f"replay/{name}").read_text(encoding="utf-8")


def _uri(image: np.ndarray) -> str:
    return f"data:image/png;base64,{base64.b64encode(png.encode(image)).decode()}"
