"""A replay, a page and a video of a trained agent, in its run's folder."""

from pathlib import Path
from typing import Any

from trainers.ppo.play import Policy
from trainers.ppo.train import load_policy, read_config
from trainers.ppo.worlds import Seats, make
from trainers.sinks import RunFolder

REPLAY, PAGE, VIDEO = "agent.replay", "agent.html", "agent.mp4"
#: The held-out world that is filmed, and for how many steps at most.
SEED, MAX_STEPS = 20_001, 2_000


def film(run_dir: Path | str, max_steps: int = MAX_STEPS) -> list[str]:
    """Record an episode of a run's newest policy; return a line for each thing made, or why it was not."""
    folder = RunFolder(run_dir)
    world = make(read_config(folder).world)
    if isinstance(world, Seats):
        return ["no replay and no video: they are of one player"]
    try:
        replay = record(world, load_policy(run_dir), folder.path / REPLAY, max_steps)
    except (ImportError, OSError) as error:
        return [f"no replay and no video: {error}"]
    told = [f"replay: {folder.path / REPLAY}"]
    try:
        from openworld.render import episode, page, video

        played = episode.play(replay, folder.path.name)
        page.write([played], folder.path / PAGE)
        told.append(f"page: {folder.path / PAGE}")
        video.write(played.tokens, folder.path / VIDEO, rules=played.rules)
    except (ImportError, OSError) as error:
        return [*told, f"no video: {error}"]
    return [*told, f"video: {folder.path / VIDEO}"]


def record(world: Any, policy: Policy, path: Path, max_steps: int) -> Any:
    """Play one held-out episode and keep it as a replay."""
    from openworld import replay

    recorded = replay.record(world, policy, SEED, max_steps, held_out=True)
    recorded.save(path)
    return recorded
