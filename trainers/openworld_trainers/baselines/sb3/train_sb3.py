"""Train one of Stable-Baselines3's algorithms, with its own settings wherever none is named here."""

import dataclasses
import signal
import time
import zipfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.logger import Logger
from stable_baselines3.common.vec_env import VecEnv

from openworld.adapters.sb3 import TokenExtractor, make_vec_env
from openworld.system.provenance import package_versions
from openworld_trainers.baselines.sb3.callback import Progress, save
from openworld_trainers.errors import StoppedError
from openworld_trainers.run.folder import RunFolder, RunFolderError
from openworld_trainers.run.lock import owned
from openworld_trainers.run.signals import Ended, Interruption, interruption

MODEL = "model.zip"
#: A replay buffer takes no more than this.
REPLAY_BYTES = 2 * 2**30


@dataclass(frozen=True)
class Algorithm:
    """One of Stable-Baselines3's algorithms.

    Attributes:
        imported: imports its class and returns it; sb3-contrib may not be installed.
        policies: for numbers and for pictures.
        settings: of its own, beside those that `Settings` names.
        rollouts: whether it learns from rollouts rather than from a replay buffer.
    """

    imported: Callable[[], Any]
    policies: tuple[str, str] = ("MlpPolicy", "CnnPolicy")
    settings: tuple[tuple[str, Any], ...] = ()
    rollouts: bool = True


def _ppo() -> Any:
    from stable_baselines3 import PPO

    return PPO


def _maskable_ppo() -> Any:
    from sb3_contrib import MaskablePPO

    return MaskablePPO


def _recurrent_ppo() -> Any:
    from sb3_contrib import RecurrentPPO

    return RecurrentPPO


def _dqn() -> Any:
    from stable_baselines3 import DQN

    return DQN


_REPLAY = (("learning_starts", 10_000), ("buffer_size", 1_000_000))

#: What can be trained; to add an algorithm, add a row.
ALGORITHMS = {
    "ppo": Algorithm(_ppo),
    "maskable-ppo": Algorithm(_maskable_ppo),
    "recurrent-ppo": Algorithm(_recurrent_ppo, ("MlpLstmPolicy", "CnnLstmPolicy")),
    "dqn": Algorithm(_dqn, settings=_REPLAY, rollouts=False),
}

#: Transitions of one rollout, which Stable-Baselines3 keeps in memory.
MOST_TRANSITIONS = 2**26


@dataclass(frozen=True, kw_only=True)
class Settings:
    """The settings of a run with one of Stable-Baselines3's algorithms.

    Attributes:
        id: the environment's id.
        algorithm: ppo, maskable-ppo (never tries what would do nothing), recurrent-ppo or dqn.
        observation: symbolic, tokens (read by an extractor of our own) or pixels; None: the id's own,
            else symbolic.
        worlds: number of worlds that step together.
        transitions: steps of all worlds together after which the run ends.
        steps: steps of each world in a rollout; not used by dqn.
        batch_size: transitions in a minibatch; None: at most 8 minibatches of at least 64 transitions.
        epochs: passes over each rollout; not used by dqn.
        time_limit: steps after which an episode is truncated; None: the environment's own limit.
        seed: seed of everything random in the run.
        device: device of PyTorch: auto, cpu or cuda.

    Example:
        >>> Settings(worlds=64, steps=128).minibatch
        1024
    """

    id: str = "OpenWorld-v0"
    algorithm: Literal["ppo", "maskable-ppo", "recurrent-ppo", "dqn"] = "ppo"
    observation: Literal["symbolic", "tokens", "pixels"] | None = None
    worlds: int = 64
    transitions: int = 1_000_000
    steps: int = 128
    batch_size: int | None = None
    epochs: int = 4
    time_limit: int | None = None
    seed: int = 0
    device: str = "auto"

    def __post_init__(self) -> None:
        """Refuse what cannot be trained."""
        for name in ("worlds", "transitions", "steps", "epochs"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1, not {getattr(self, name)}")
        if not 0 <= self.seed < 2**32:
            raise ValueError(f"seed must be 0 to {2**32 - 1}, not {self.seed}")
        if self.batch_size is not None and self.batch_size < 2:
            raise ValueError(f"batch_size must be at least 2, not {self.batch_size}")
        if self.rollouts and self.rollout < 2:
            raise ValueError("a rollout needs at least two transitions: give more worlds or steps")
        if self.rollouts and self.rollout > MOST_TRANSITIONS:
            raise ValueError(
                f"worlds x steps = {self.rollout} is more than the {MOST_TRANSITIONS} of a rollout in memory"
            )
        if self.rollouts and self.rollout % self.minibatch:
            raise ValueError(
                f"worlds x steps = {self.rollout} does not divide into minibatches of {self.minibatch}"
            )

    @property
    def rollouts(self) -> bool:
        """The algorithm learns from rollouts, not from a replay buffer."""
        return ALGORITHMS[self.algorithm].rollouts

    @property
    def rollout(self) -> int:
        """The number of transitions in a rollout."""
        return self.worlds * self.steps

    @property
    def minibatch(self) -> int:
        """The number of transitions in a minibatch."""
        if self.batch_size is not None:
            return self.batch_size
        if not self.rollouts:
            return 256
        least = min(self.rollout, max(64, -(-self.rollout // 8)))
        return next(size for size in range(least, self.rollout + 1) if self.rollout % size == 0)


def train(settings: Settings, path: Path, resume: bool = False, *, force: bool = False) -> Path:
    """Train in a folder, which then holds the settings, the metrics and the model; return the model's file.

    SIGINT, SIGTERM and SIGHUP end it after the step that is being made, saved: a `StoppedError`.

    Args:
        force: take the run over from a process on another machine, which has ended but did not give it back.

    Example:
        >>> train(Settings(worlds=8, transitions=10_000), Path("runs/sb3"))  # doctest: +SKIP
    """
    folder = RunFolder(path)
    if resume and not (folder.path / MODEL).is_file():
        raise RunFolderError(f"{folder.path} holds no {MODEL} to continue")
    envs = make_envs(settings)
    try:
        with (
            owned(folder.path, f"training {settings.id} with {settings.algorithm}", force),
            interruption() as stop,
        ):
            model = loaded(settings, envs, folder) if resume else begun(settings, envs, folder)
            learn(model, settings, folder, stop, resume)
    finally:
        envs.close()
    return folder.path / MODEL


def loaded(settings: Settings, envs: VecEnv, folder: RunFolder) -> BaseAlgorithm:
    """Return the agent that a run saved; the metrics of what came after are forgotten."""
    path = folder.path / MODEL
    try:
        model = algorithm(settings).load(path, env=envs, device=settings.device)
    except (ValueError, KeyError, OSError, zipfile.BadZipFile, AttributeError, EOFError) as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise RunFolderError(f"{path} cannot be continued: {reason}") from error
    rows = [row for row in folder.metrics() if row["transitions"] <= model.num_timesteps]
    folder.forget_after(rows[-1]["update"] if rows else 0)
    return model


def begun(settings: Settings, envs: VecEnv, folder: RunFolder) -> BaseAlgorithm:
    """Return an agent that has learned nothing yet, in a new run."""
    model = build(settings, envs)
    folder.create({"config": to_dict(settings), "frameworks": frameworks()})
    with suppress(OSError):
        folder.checkpoints.rmdir()
    return model


def learn(
    model: BaseAlgorithm, settings: Settings, folder: RunFolder, stop: Interruption, resume: bool
) -> None:
    """Train until the run is over, or a signal ends it, and save."""
    model.set_logger(Logger(None, []))
    saved = folder.path / MODEL
    progress = Progress(folder, saved, settings.transitions, settings.id, stop)
    left = settings.transitions - model.num_timesteps
    if left <= 0:
        print(f"nothing is left to do: {model.num_timesteps:,} transitions are done; raise --transitions")
    # From here on a signal waits for the end of a step.
    stop.gentle = True
    try:
        model.learn(
            max(0, left),
            callback=progress,
            log_interval=None,  # type: ignore[arg-type]
            reset_num_timesteps=not resume,
        )
    except Ended:
        raise
    except KeyboardInterrupt:  # raised by somebody else than a signal
        stop.number = stop.number or signal.SIGINT
    save(model, saved)
    stop.gentle = False
    if stop:
        raise StoppedError(
            f"interrupted after {model.num_timesteps:,} transitions; saved in {saved}; to continue: "
            f"openworld train-sb3 --resume --out {folder.path}",
            stop.number,
        )


def make_envs(settings: Settings) -> VecEnv:
    """Return the worlds of a run."""
    return make_vec_env(
        settings.id,
        settings.worlds,
        observation=settings.observation,
        seed=settings.seed,
        time_limit=settings.time_limit,
    )


def algorithm(settings: Settings) -> Any:
    """Return the class of the algorithm."""
    return ALGORITHMS[settings.algorithm].imported()


def build(settings: Settings, envs: VecEnv) -> BaseAlgorithm:
    """Return an agent that has learned nothing yet."""
    chosen, space = ALGORITHMS[settings.algorithm], envs.observation_space
    shape = space.shape or ()
    chosen_settings = dict(chosen.settings)
    if chosen.rollouts:
        chosen_settings |= {"n_steps": settings.steps, "n_epochs": settings.epochs}
    else:
        bytes_each = 2 * space.dtype.itemsize * _product(shape)  # type: ignore[union-attr]
        room = REPLAY_BYTES // bytes_each
        chosen_settings["buffer_size"] = max(settings.worlds, min(chosen_settings["buffer_size"], room))
        first = min(chosen_settings["learning_starts"], settings.transitions // 10)
        chosen_settings["learning_starts"] = first
    if len(shape) == 1 and space.dtype.itemsize == 1:  # type: ignore[union-attr]
        extractor = {
            "features_extractor_class": TokenExtractor,
            "features_extractor_kwargs": {"id": settings.id},
        }
        chosen_settings["policy_kwargs"] = extractor
    return algorithm(settings)(
        chosen.policies[len(shape) == 3],
        envs,
        batch_size=settings.minibatch,
        seed=settings.seed,
        device=settings.device,
        **chosen_settings,
    )


def to_dict(settings: Settings) -> dict[str, Any]:
    """Return the settings as the folders of other trainers' runs hold theirs, so that `report` reads both."""
    kept = dataclasses.asdict(settings) | {"batch_size": settings.minibatch}
    env = {name: kept.pop(name) for name in ("id", "observation", "time_limit")}
    return {
        "env": env,
        "rollout": {"worlds": kept.pop("worlds"), "steps": kept.pop("steps")},
        "baseline": kept,
    }


def from_dict(kept: dict[str, Any]) -> Settings:
    """Undo `to_dict`."""
    try:
        rollout = {name: kept["rollout"][name] for name in ("worlds", "steps")}
        return Settings(**kept["env"], **kept["baseline"], **rollout)
    except (KeyError, TypeError) as error:
        raise RunFolderError("these are not the settings of a run with Stable-Baselines3") from error


def frameworks() -> dict[str, str]:
    """Return the versions of what the run's numbers depend on besides OpenWorld."""
    return package_versions(("stable-baselines3", "sb3-contrib", "torch", "gymnasium"))


def new_folder(settings: Settings) -> Path:
    """Return a folder for a new run."""
    return Path("runs") / f"sb3-{settings.algorithm}-{time.strftime('%Y%m%d-%H%M%S')}"


def _product(shape: tuple[int, ...]) -> int:
    size = 1
    for length in shape:
        size *= length
    return size
