"""Every row of content has a drawing, the files in assets/ are those drawings, and they differ at every size."""

import io
import itertools
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from openworld.art.small import shrunk
from openworld.content.ids import Block, Projectile
from openworld.content.rulesets import COOP
from openworld.observe import names
from openworld.render import drawings

ROOT = Path(__file__).parents[2]
EVERY = {(group, name): art for group, name, art in drawings.drawings()}
#: The least mean difference of colours between two drawings, for each pixel.
APART = 6


def read(path):
    return np.asarray(Image.open(path).convert("RGBA"))


def whole(art):
    return drawings._with_alpha(art)


def test_everything_is_drawn():
    drawn = {group: {name for of, name in EVERY if of == group} for group, _ in EVERY}
    assert {block.name.lower().replace("_", " ") for block in Block} <= drawn["blocks"]
    assert set(names.creatures().values()) == drawn["creatures"]
    assert len(drawn["projectiles"]) == len(Projectile)
    assert len(drawn["players"]) == 4 + 2 + 7
    assert len(drawn["items"]) >= len(COOP.recipes)
    for art in EVERY.values():
        assert art.shape[:2] == (16, 16)
        assert set(np.unique(whole(art)[..., 3])) <= {0, 255}


def test_the_files_are_the_drawings():
    files = {path.relative_to(ROOT / drawings.FOLDER) for path in (ROOT / drawings.FOLDER).rglob("*.png")}
    assert files == {Path(group, f"{name.replace(' ', '-')}.png") for group, name in EVERY}
    for (group, name), art in EVERY.items():
        file = ROOT / drawings.FOLDER / group / f"{name.replace(' ', '-')}.png"
        hint = f"{file} is not as drawn: python -m openworld.render.drawings"
        assert np.array_equal(read(file), whole(art)), hint
    assert np.array_equal(read(ROOT / drawings.SHEET)[..., :3], drawings.sheet())


@pytest.mark.parametrize("size", [7, 10, 16])
@pytest.mark.parametrize("group", ["blocks", "creatures", "projectiles", "players"])
def test_no_two_look_alike(group, size):
    ground = np.int64([104, 160, 72])
    looks = {}
    for (of, name), art in EVERY.items():
        if of == group and name not in ("invalid", "out of bounds", "darkness"):
            small = shrunk(whole(art), size).astype(np.int64)
            looks[name] = np.where(small[..., 3:] > 0, small[..., :3], ground)
    for (one, a), (other, b) in itertools.combinations(looks.items(), 2):
        apart = np.abs(a - b).sum() / size**2
        assert apart >= APART, f"{one} and {other} at {size} pixels: {apart:.1f}"


def test_they_are_written_anew(tmp_path):
    drawings.write(tmp_path / "art", tmp_path / "sheet.png")
    assert len(list((tmp_path / "art").rglob("*.png"))) == len(EVERY)
    assert Image.open(io.BytesIO((tmp_path / "sheet.png").read_bytes())).size[0] > 500
