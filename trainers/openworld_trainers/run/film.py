"""A replay, a page and a video of a trained agent, in the folder of its run."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from rich.console import Console

from openworld.judging.episodes import play
from openworld.judging.protocols import held_out_seeds
from openworld.judging.trace import Report
from openworld.storage.replay import Replay, rules_of
from openworld_trainers.ppo.batched_env import FlattenPlayers, make_env
from openworld_trainers.ppo.network_policy import Policy
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.phases import Phases
from openworld_trainers.run.progress import Display
from openworld_trainers.run.settings import load_policy, read_config
from openworld_trainers.run.signals import cleanup_on_exit, interruption

REPLAY, PAGE, VIDEO = "agent.replay", "agent.html", "agent.mp4"
#: The key of the held-out world that the video shows, and the most steps of the video.
SEED, MAX_STEPS = 20_001, 2_000


def film(run_dir: Path | str, max_steps: int = MAX_STEPS, *, phases: Phases | None = None) -> list[str]:
    """Record an episode of a run's newest policy: a replay, a page and a video.

    Progress is shown on standard error.

    Args:
        max_steps: a longer episode is stopped.
        phases: of the job of which the video is one step.

    Returns:
        A line for each file, with its path, or with the reason why it was not made.

    Example:
        >>> film("runs/my-run")[0]  # doctest: +SKIP
        'replay: runs/my-run/agent.replay'
    """
    folder = RunFolder(run_dir)
    env = make_env(read_config(folder).env)
    if isinstance(env, FlattenPlayers):
        return ["no replay and no video: they are made for one player only"]
    display = Display(
        f"video of {folder.path}", Console(stderr=True), step=(phases, "video") if phases else None
    )
    with interruption(), display, cleanup_on_exit(display.console.show_cursor):
        return write_all(env, folder, max_steps, lambda share, text: display.doing(text, share))


def write_all(env: Any, folder: RunFolder, max_steps: int, report: Report) -> list[str]:
    """Make the replay, then the page and the video of it."""
    report(0.0, "reading the policy")
    try:
        replay = record(env, load_policy(folder.path), folder.path / REPLAY, max_steps, report)
    except (ImportError, OSError) as error:
        return [f"no replay and no video: {error}"]
    made = [f"replay: {folder.path / REPLAY}"]
    try:
        from openworld.render import episode, page, video

        report(0.5, "playing the replay again")
        played = episode.play(replay, folder.path.name)
        report(0.6, "writing the page")
        page.write([played], folder.path / PAGE)
        made.append(f"page: {folder.path / PAGE}")
        video.write(counted(played.tokens, report), folder.path / VIDEO, rules=played.rules)
    except (ImportError, OSError) as error:
        return [*made, f"no video: {error}"]
    return [*made, f"video: {folder.path / VIDEO}"]


def record(env: Any, policy: Policy, path: Path, max_steps: int, report: Report) -> Replay:
    """Play one held-out episode and write it as a replay."""
    seeds = held_out_seeds(SEED, 1)

    def playing(share: float, text: str) -> None:
        report(share / 2, f"playing an episode: {text}")

    played = play(env, seeds, policy, max_steps=max_steps, report=playing)
    rules = rules_of(env.id)
    replay = played.replay(0, seeds[0], id=env.id, ruleset=rules, time_limit=env.time_limit)
    replay.save(path)
    return replay


def counted(frames: Any, report: Report) -> Iterator[Any]:
    """Yield the frames one by one, and report each."""
    for number, frame in enumerate(frames):
        report(0.65 + 0.35 * number / len(frames), f"writing the video: frame {number:,} of {len(frames):,}")
        yield frame
