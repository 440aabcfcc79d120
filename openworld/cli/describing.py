"""`openworld describe`: what a player perceives at one moment, in words."""

from dataclasses import dataclass
from pathlib import Path

from openworld.cli.commands import at_random
from openworld.cli.options import parse, prepare


def describe(words: list[str]) -> None:
    """Tell what a player perceives at one moment."""

    @dataclass(frozen=True)
    class Describe:
        """Tell in words what a player perceives, at the beginning, after random play, or at a step of a replay.

        Attributes:
            id: which world.
            seed: which of its worlds.
            steps: random steps to play first; of a replay its step, or without it the last.
            replay: a replay to take the moment from, in place of a world.
        """

        id: str = "OpenWorld-v0"
        seed: int = 0
        steps: int | None = None
        replay: Path | None = None

    options = parse(Describe, "describe", words)
    prepare()
    from openworld.observe.text import text
    from openworld.storage.replay import Replay, frames

    if options.replay is None:
        played = at_random(options.id, options.seed, options.steps or 0)
        step = len(played.actions)
    else:
        played = Replay.load(options.replay)
        step = len(played.actions) if options.steps is None else options.steps
    if step > len(played.actions):
        raise ValueError(f"--steps must be at most {len(played.actions)}, the replay's last, not {step}")
    # All of it is played: only its end shows whether it plays as recorded.
    shown = [tokens for number, tokens in enumerate(frames(played)) if number == step]
    print(text(shown[0], played.env().ruleset), end="")
