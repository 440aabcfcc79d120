"""A replay, a page and a video of a trained agent, in its run's folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import equinox as eqx
from rich.console import Console

from openworld_trainers.ppo.env import FlattenPlayers, make_env
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.play import Policy, Tell
from openworld_trainers.run.progress import Display
from openworld_trainers.run.settings import load_policy, read_config
from openworld_trainers.run.signals import cleanup_on_exit, interruption

REPLAY, PAGE, VIDEO = "agent.replay", "agent.html", "agent.mp4"
#: The seed of the held-out world in the video, and its largest number of steps.
SEED, MAX_STEPS = 20_001, 2_000


def film(run_dir: Path | str, max_steps: int = MAX_STEPS, *, phases: Phases | None = None) -> list[str]:
    """Record an episode of a run's newest policy; return a line for each file, or the reason why it is missing.

    The progress is shown on standard error.

    Args:
        run_dir: the run's folder.
        max_steps: the longest episode.
        phases: of a command in which the video is one phase.
    """
    folder = RunFolder(run_dir)
    env = make_env(read_config(folder).env)
    if isinstance(env, FlattenPlayers):
        return ["no replay and no video: they are made for one player only"]
    display = Display(
        f"film of {folder.path}", Console(stderr=True), step=(phases, "film") if phases else None
    )
    with interruption(), display, cleanup_on_exit(display.console.show_cursor):
        return write_all(env, folder, max_steps, lambda share, text: display.doing(text, share))


def write_all(env: Any, folder: RunFolder, max_steps: int, tell: Tell) -> list[str]:
    """Write the replay, then its page and its video."""
    tell(0.0, "reading the policy")
    try:
        replay = record(env, load_policy(folder.path), folder.path / REPLAY, max_steps, tell)
    except (ImportError, OSError) as error:
        return [f"no replay and no video: {error}"]
    lines = [f"replay: {folder.path / REPLAY}"]
    try:
        from openworld.render import episode, page, video

        tell(0.5, "playing the replay again")
        played = episode.play(replay, folder.path.name)
        tell(0.6, "writing the page")
        page.write([played], folder.path / PAGE)
        lines.append(f"page: {folder.path / PAGE}")
        video.write(with_progress(played.tokens, tell), folder.path / VIDEO, rules=played.rules)
    except (ImportError, OSError) as error:
        return [*lines, f"no video: {error}"]
    return [*lines, f"video: {folder.path / VIDEO}"]


def record(env: Any, policy: Policy, path: Path, max_steps: int, tell: Tell) -> Any:
    """Play one held-out episode and save it as a replay."""
    from openworld.storage import replay

    compiled: Any = eqx.filter_jit(policy)
    steps = iter(range(max_steps + 1))

    def play(carry: Any, key: Any, observation: Any) -> Any:
        step = next(steps)
        tell(step / max_steps / 2, f"playing an episode: step {step:,}")
        return compiled(carry, key, observation)

    tell(0.0, "playing an episode: compiling")
    recorded = replay.record(env, play, SEED, max_steps, held_out=True)
    recorded.save(path)
    return recorded


def with_progress(frames: Any, tell: Tell) -> Iterator[Any]:
    """Yield the frames, and report the progress."""
    for number, frame in enumerate(frames):
        tell(0.65 + 0.35 * number / len(frames), f"writing the video: frame {number:,} of {len(frames):,}")
        yield frame
