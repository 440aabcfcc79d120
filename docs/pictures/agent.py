"""Make docs/pictures/agent.png: one moment of a judged episode, as `render_mode="human"` shows it.

    python docs/pictures/agent.py

The episode is that of the scripted agent on the leaderboard. The PNG has no palette, so that all colours are kept.
"""

import sys
from pathlib import Path

from openworld.content.ids import Achievement
from openworld.judging.result import Result
from openworld.render import episode, png
from openworld.render.event_log import EventLog
from openworld.render.human import frame

ROOT = Path(__file__).parents[2]
RESULT, NUMBER, STEP = "docs/results/leaderboard/openworld-v0-2026-scripted.json", 53, 924
OUT = Path(__file__).with_name("agent.png")


def main(step: int = STEP) -> None:
    """Play the episode again, and write the frame of one of its steps."""
    played = episode.play(Result.load(ROOT / RESULT).replay(NUMBER))
    actions = played.replay.actions.reshape(played.steps, -1)[:, 0]
    unlocked = played.unlocked[0]
    log = EventLog.begin(played.tokens[0, 0], rules=played.rules)
    for i in range(1, step + 1):
        achievements = [0 < unlocked[a] <= i for a in range(played.rules.achievements)]
        log = log.after(int(actions[i - 1]), played.tokens[i, 0], achievements)
    OUT.write_bytes(png.encode(frame(log, 2)))
    names = [Achievement(a).name for a in range(len(unlocked)) if 0 < unlocked[a] <= step]
    print(f"written to {OUT}: step {step} of {played.steps}; {', '.join(names)}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
