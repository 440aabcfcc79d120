"""The results of all legs in one file, written whole after each row."""

import json
import math
import time
from pathlib import Path
from typing import Any

from openworld.system.files import replacing

#: The file in the folder of the results.
RESULTS = "results.json"


class Results:
    """The results so far, and the file that holds them.

    Nothing is written before the first leg begins: an earlier file stays if the legs are refused.

    The state of a leg is "running", "finished", "interrupted", "failed" or "left out".

    Attributes:
        folder: of all files.
        content: what the file holds.
    """

    def __init__(self, folder: Path, facts: dict[str, Any]) -> None:
        self.folder = folder
        self.content: dict[str, Any] = {"format": "openworld accelerator", "facts": facts, "legs": {}}
        self._began = time.monotonic()

    def begin(self, leg: str) -> None:
        """Begin a leg, which has no rows yet."""
        self.content["legs"][leg] = {"state": "running", "began": self._now(), "rows": []}
        self.write()
        print(f"[{self._now():6.1f} s] {leg}", flush=True)

    def add(self, leg: str, row: dict[str, Any], text: str) -> None:
        """Add a row to a leg, and print its text."""
        self.content["legs"][leg]["rows"].append(row)
        self.write()
        print(f"[{self._now():6.1f} s] {leg}: {text}", flush=True)

    def end(self, leg: str, state: str, reason: str = "") -> None:
        """End a leg."""
        entry = self.content["legs"][leg]
        entry |= {"state": state, "seconds": self._now() - entry["began"]}
        if reason:
            entry["reason"] = reason
        self.write()
        print(f"[{self._now():6.1f} s] {leg}: {state}{reason and ': '}{reason[:300]}", flush=True)

    def interrupted(self) -> None:
        """Mark the leg that is running as interrupted."""
        for name, entry in self.content["legs"].items():
            if entry["state"] == "running":
                self.end(name, "interrupted")

    def write(self) -> None:
        """Write the file, whole or not at all."""
        self.content["seconds"] = self._now()
        with replacing(self.folder / RESULTS) as aside:
            aside.write_text(json.dumps(finite(self.content), indent=1, default=str) + "\n")

    def _now(self) -> float:
        return round(time.monotonic() - self._began, 1)


def finite(value: Any) -> Any:
    """Return a value for JSON: NaN and infinite numbers become None, at any depth.

    Example:
        >>> finite({"a": [1.5, float("nan")]})
        {'a': [1.5, None]}
    """
    if isinstance(value, dict):
        return {name: finite(item) for name, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
