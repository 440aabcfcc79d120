"""A replay, a page and a video of a trained agent, in its run's folder."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import equinox as eqx
from rich.console import Console

from openworld_trainers.ppo.env import FlattenPlayers, make_env
from openworld_trainers.run.folder import load_policy, read_config
from openworld_trainers.run.metrics import RunFolder
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.play import Policy, Tell
from openworld_trainers.run.progress import Display
from openworld_trainers.run.signals import interruption, leaving

REPLAY, PAGE, VIDEO = "agent.replay", "agent.html", "agent.mp4"
#: The held-out world that is filmed, and for how many steps at most.
SEED, MAX_STEPS = 20_001, 2_000


def film(run_dir: Path | str, max_steps: int = MAX_STEPS, *, phases: Phases | None = None) -> list[str]:
    """Record an episode of a run's newest policy; return a line for each thing made, or why it was not.

    How far it is, is shown on standard error.

    Args:
        phases: of a job of which the film is a step.
    """
    folder = RunFolder(run_dir)
    env = make_env(read_config(folder).env)
    if isinstance(env, FlattenPlayers):
        return ["no replay and no video: they are of one player"]
    display = Display(
        f"film of {folder.path}", Console(stderr=True), step=(phases, "film") if phases else None
    )
    with interruption(), display, leaving(display.console.show_cursor):
        return make_all(env, folder, max_steps, lambda share, text: display.doing(text, share))


def make_all(env: Any, folder: RunFolder, max_steps: int, tell: Tell) -> list[str]:
    """Make the replay, then the page and the video of it."""
    tell(0.0, "reading the policy")
    try:
        replay = record(env, load_policy(folder.path), folder.path / REPLAY, max_steps, tell)
    except (ImportError, OSError) as error:
        return [f"no replay and no video: {error}"]
    told = [f"replay: {folder.path / REPLAY}"]
    try:
        from openworld.render import episode, page, video

        tell(0.5, "playing the replay again")
        played = episode.play(replay, folder.path.name)
        tell(0.6, "writing the page")
        page.write([played], folder.path / PAGE)
        told.append(f"page: {folder.path / PAGE}")
        video.write(counted(played.tokens, tell), folder.path / VIDEO, rules=played.rules)
    except (ImportError, OSError) as error:
        return [*told, f"no video: {error}"]
    return [*told, f"video: {folder.path / VIDEO}"]


def record(env: Any, policy: Policy, path: Path, max_steps: int, tell: Tell) -> Any:
    """Play one held-out episode and keep it as a replay."""
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


def counted(frames: Any, tell: Tell) -> Iterator[Any]:
    """Frames one by one, told as they are taken."""
    for number, frame in enumerate(frames):
        tell(0.65 + 0.35 * number / len(frames), f"writing the video: frame {number:,} of {len(frames):,}")
        yield frame
