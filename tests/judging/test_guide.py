"""The guide's examples run as they are printed."""

import dataclasses
import re
from pathlib import Path

import pytest

from openworld.judging import protocols
from openworld.storage.replay import Replay, frames
from tests.judging.small import SMALL

GUIDE = Path(__file__).parents[2] / "docs" / "guides" / "evaluate.md"


@pytest.fixture
def blocks(tmp_path, monkeypatch):
    """The guide's Python, in an empty folder; the protocol it names is cut short."""
    name = "openworld-classic-v0-2026"
    monkeypatch.chdir(tmp_path)
    monkeypatch.setitem(protocols.PROTOCOLS, name, dataclasses.replace(SMALL, name=name))
    return re.findall(r"```python\n(.*?)```", GUIDE.read_text(), re.S)


def test_its_examples_run(blocks, tmp_path, capsys):
    agent, judging, reading = blocks
    names = {}
    exec(agent + judging, names)
    assert "'value'" in capsys.readouterr().out
    names["result"].save(tmp_path / "mine.json")
    exec(reading, names)
    assert len(list(frames(Replay.load(tmp_path / "third.replay")))) > 1


def test_its_table_is_that_of_the_protocols():
    text = GUIDE.read_text()
    for name in ("openworld-v0-2026", "openworld-classic-v0-2026"):
        made = protocols.PROTOCOLS[name]
        assert f"env.reset({made.key}, {made.episodes}, held_out=True)" in text
        assert f"`{made.world}`, rules {made.rules}" in text
        assert f"{made.time_limit:,} steps" in text
        assert f"{made.resamples} resamples" in text
        assert f" {made.total} |" in text
