"""`openworld describe`: describe in words what a player sees."""

from dataclasses import dataclass
from pathlib import Path

from openworld.cli.commands import at_random
from openworld.cli.options import parse, prepare


def describe(words: list[str]) -> None:
    """Describe what a player sees at one moment."""

    @dataclass(frozen=True)
    class Describe:
        """Describe in words what a player sees: at the beginning, after random play, or in a replay.

        Attributes:
            id: environment id.
            seed: number of the world.
            steps: the step to describe: in a new world, after so many steps of random play; None: 0, or with
                --replay its last step.
            replay: describe a step of this replay; None: a new world.
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
    # The whole replay is played: only its end shows whether it plays as recorded.
    shown = [tokens for number, tokens in enumerate(frames(played)) if number == step]
    print(text(shown[0], played.env().ruleset), end="")
