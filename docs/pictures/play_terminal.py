"""Make docs/pictures/play-terminal.png: the game in a terminal.

    python docs/pictures/play_terminal.py

The scripted agent plays. The letters are those of DejaVu Sans Mono, which comes with matplotlib: each in its own
cell, as a terminal draws them.
"""

import re
import sys
from pathlib import Path

import numpy as np
from matplotlib import get_data_path
from PIL import Image, ImageDraw, ImageFont

from openworld.playing.controls import Controls
from openworld.playing.player import SinglePlayer
from openworld.playing.session import Session
from openworld.playing.terminal import page_of
from openworld.playing.text_page import INK, TRUE, Page
from openworld_trainers.baselines.scripted.policy import Scripted

ID, SEED, STEP = "OpenWorld-v0", 7, 110
ROWS, COLS = 32, 110
#: Pixels of a letter's cell, of the type, and around the page.
WIDTH, HEIGHT, TYPE, EDGE = 12, 24, 20, 10
FONT = Path(get_data_path(), "fonts/ttf/DejaVuSansMono.ttf")
OUT = Path(__file__).with_name("play-terminal.png")


def played(seed: int, step: int) -> SinglePlayer:
    """Play steps of a world."""
    player = SinglePlayer(Session(ID, seed))
    player.again()
    player.session.prepare_aside().join()
    agent = Scripted(player.rules)
    agent.begin(1, 0)
    for number in range(step):
        assert player.moment is not None
        infos = {"episode": np.zeros(1, int), "playing": np.ones(1, bool), "step": number}
        player.act(int(agent.act(player.moment.tokens[None], infos)[0]))
        player.poll()
    return player


def drawn(page: Page) -> Image.Image:
    """Draw a page, from what a terminal of 24-bit colours is sent."""
    image = Image.new("RGB", (page.cols * WIDTH + 2 * EDGE, page.rows * HEIGHT + 2 * EDGE))
    draw, font = ImageDraw.Draw(image), ImageFont.truetype(str(FONT), TYPE)
    for row, line in enumerate(page.text(TRUE).split("\r\n")):
        col, ink, ground = 0, INK, None
        for code, letter in re.findall(r"\x1b\[([0-9;]*)[A-Za-z]|(.)", line):
            numbers = [int(number) for number in code.split(";") if number]
            if numbers[1:3] == [38, 2]:
                ink, ground = tuple(numbers[3:6]), tuple(numbers[8:11]) or None
            if not letter:
                continue
            left, top = EDGE + col * WIDTH, EDGE + row * HEIGHT
            if ground is not None:
                draw.rectangle((left, top, left + WIDTH - 1, top + HEIGHT - 1), ground)
            draw.text((left, top), letter, ink, font)
            col += 1
    return image


def main(seed: int = SEED, step: int = STEP) -> None:
    """Play, and write what the terminal shows."""
    player = played(seed, step)
    drawn(page_of(player, Controls(player), ROWS, COLS)).save(OUT, optimize=True)
    print(f"written to {OUT}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
