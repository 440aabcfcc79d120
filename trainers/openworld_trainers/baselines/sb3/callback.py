"""The callback of a run with Stable-Baselines3: metrics, progress and the saved model."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console
from rich.progress import BarColumn, TextColumn, TimeRemainingColumn
from rich.progress import Progress as Bar
from stable_baselines3.common.base_class import BaseAlgorithm
from stable_baselines3.common.callbacks import BaseCallback

from openworld.content.ids import Achievement
from openworld.system.files import replacing
from openworld_trainers.run.folder import RunFolder
from openworld_trainers.run.signals import Interruption

#: Seconds between two printed lines, between two saved models, and the least between two rows of metrics.
LINE_SECONDS, SAVE_SECONDS, ROW_SECONDS = 15.0, 300.0, 1.0


def save(model: BaseAlgorithm, path: Path) -> None:
    """Replace the model's file completely, or not at all."""
    with replacing(path) as aside, aside.open("wb") as stream:
        model.save(stream)


class Progress(BaseCallback):
    """Writes rows of metrics, shows the progress, and saves the model from time to time."""

    def __init__(
        self, folder: RunFolder, saved: Path, transitions: int, title: str, stop: Interruption | None = None
    ) -> None:
        super().__init__()
        self.stop = stop
        self.folder, self.saved, self.transitions = folder, saved, transitions
        console = Console()
        columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[text]}"))
        self.bar = Bar(*columns, TimeRemainingColumn(), console=console) if console.is_terminal else None
        self.console, self.title = console, title
        rows = folder.metrics()
        self.update = rows[-1]["update"] if rows else 0
        self.before = rows[-1]["seconds"] if rows else 0.0
        self.episodes: list[dict[str, Any]] = []
        #: The text of the newest row, until it is printed.
        self.unprinted = ""

    def _on_training_start(self) -> None:
        self.began = self.spoken = self.kept = self.rowed = time.monotonic()
        self.first = self.counted = self.num_timesteps
        if self.bar:
            self.bar.start()
            self.task = self.bar.add_task(self.title, total=self.transitions, text="", completed=self.first)

    def _on_step(self) -> bool:
        if self.locals["dones"].any():
            infos = self.locals["infos"]
            self.episodes += [infos[i] for i in np.flatnonzero(self.locals["dones"])]
        return not self.stop

    def _on_rollout_end(self) -> None:
        now = time.monotonic()
        if now - self.rowed >= ROW_SECONDS:
            self._row(now)
        if now - self.kept >= SAVE_SECONDS:
            self.kept = now
            self.folder.flush()
            save(self.model, self.saved)

    def _on_training_end(self) -> None:
        if self.num_timesteps > self.counted:
            self._row(time.monotonic(), last=True)
        elif self.unprinted:
            self._say(self.unprinted, last=True)
        if self.bar:
            self.bar.stop()

    def _row(self, now: float, last: bool = False) -> None:
        """Add a row of metrics, and show it."""
        self.update += 1
        ended, self.episodes = self.episodes, []
        passed = max(now - self.rowed, 1e-9)
        row: dict[str, Any] = {
            "update": self.update,
            "transitions": self.num_timesteps,
            "seconds": round(self.before + now - self.began, 3),
            "steps_per_second": round((self.num_timesteps - self.counted) / passed, 1),
            "return": _mean([info["episode"]["r"] for info in ended]),
            "length": _mean([info["episode"]["l"] for info in ended]),
            "episodes": len(ended),
            "achievements": rates(ended),
        }
        values = self.logger.name_to_value.items()
        row |= {name.removeprefix("train/"): float(v) for name, v in values if name.startswith("train/")}
        self.folder.append(row)
        self.rowed, self.counted = now, self.num_timesteps
        text = f"{row['transitions']:,} transitions, {row['steps_per_second']:,.0f}/s"
        if row["return"] is not None:
            text += f", return {row['return']:.2f}"
        self._say(text, last)

    def _say(self, text: str, last: bool) -> None:
        """Show the text of the newest row; the last one is always printed."""
        now = time.monotonic()
        if self.bar:
            self.bar.update(self.task, completed=min(self.num_timesteps, self.transitions), text=text)
        elif last or now - self.spoken >= LINE_SECONDS:
            self.spoken, self.unprinted = now, ""
            share = min(1.0, self.num_timesteps / self.transitions)
            self.console.print(f"{self.title}: {share:.0%}, {text}", highlight=False, soft_wrap=True)
            return
        self.unprinted = text


def rates(ended: list[dict[str, Any]]) -> dict[str, float]:
    """Return the share of the episodes in which each achievement was unlocked."""
    if not ended:
        return {}
    shares = np.stack([info["achievements"] for info in ended]).sum(axis=0) / len(ended)
    return {Achievement(i).name.lower(): float(share) for i, share in enumerate(shares)}


def _mean(values: Sequence[float | int]) -> float | None:
    return float(np.mean(values)) if values else None
