"""Checkpoints: folders that are written under another name and then renamed, so that each one is complete.

Orbax writes the arrays, part by part; "policy" can be read without the other parts. `manifest.json` lists the
arrays and the length and checksum of each file, and has a checksum of its own. Anything that differs from it
is an error of one line.
"""

import errno
import json
import logging
import math
import os
import re
import shutil
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from openworld.system import bounded_json, checksums
from openworld.version import __version__
from openworld_trainers.errors import TrainerError, format_problem, maker_of

#: Version of the layout on disk and of the names of arrays and facts. Others are refused.
FORMAT = 4
MANIFEST = "manifest.json"
#: The largest manifest, in bytes, and the bytes that a part's files may have beyond twice those of its
#: arrays.
MOST_MANIFEST, MOST_BESIDE = 1 << 23, 1 << 24
#: The entries of a manifest, and their types.
_ENTRIES = {"number": int, "facts": dict, "arrays": dict, "files": dict}
#: Prefixes of folders that are being written or removed; the next save removes those of a killed process.
_ASIDE, _GONE = ".saving-", ".removing-"


class CheckpointError(TrainerError, ValueError):
    """A checkpoint cannot be written, found or used."""


@dataclass(frozen=True)
class Manifest:
    """The contents of one checkpoint.

    Attributes:
        number: of the checkpoint, the number of updates.
        facts: about the run, which a reader can compare with its own.
        arrays: part -> name -> [dtype, *shape].
        files: path -> [bytes, crc32].
    """

    number: int
    facts: dict[str, Any]
    arrays: dict[str, dict[str, list[Any]]]
    files: dict[str, list[int]]


class Checkpoints:
    """The numbered checkpoints in one folder; the newest `keep` stay.

    Example:
        >>> Checkpoints(Path("runs/mine/checkpoints")).path(7).name
        '0000000007'
    """

    def __init__(self, folder: Path, keep: int = 2) -> None:
        self.folder = Path(folder)
        self.keep = keep

    def path(self, number: int) -> Path:
        """Return the folder of a checkpoint."""
        return self.folder / f"{number:010d}"

    def numbers(self) -> list[int]:
        """Return the numbers of the complete checkpoints, oldest first."""
        if not self.folder.is_dir():
            return []
        names = (entry.name for entry in self.folder.iterdir())
        return sorted(int(name) for name in names if re.fullmatch("[0-9]{1,18}", name))

    def latest(self) -> int:
        """Return the number of the newest checkpoint; without one it is a `CheckpointError`."""
        numbers = self.numbers()
        if not numbers:
            raise CheckpointError(f"{self.folder} holds no checkpoint")
        return numbers[-1]

    def save(self, number: int, parts: Mapping[str, Any], facts: Mapping[str, Any]) -> Path:
        """Save one checkpoint; if it fails, the earlier ones are unchanged.

        Several processes each write their share of the arrays into a folder that all of them see.

        Args:
            number: of updates.
            parts: trees of arrays by name.
            facts: values for JSON that `Manifest.facts` returns.
        """
        aside = self.folder / f"{_ASIDE}{number:010d}"
        first = jax.process_index() == 0
        try:
            if first:
                self._sweep()
                aside.mkdir(parents=True)
            _meet(f"saving {number}")
            arrays = {part: _save_part(aside / part, tree) for part, tree in parts.items()}
            if first:
                self._finish(aside, number, {"facts": dict(facts), "arrays": arrays})
            _meet(f"saved {number}")
        except Exception as error:  # the storage libraries raise many kinds
            shutil.rmtree(aside, ignore_errors=True)
            kept = f"checkpoint {self.numbers()[-1]} is kept" if self.numbers() else "there is none before it"
            raise CheckpointError(
                f"checkpoint {number} could not be saved in {self.folder} ({_cause(error)}); {kept}"
            ) from error
        for old in self.numbers()[: -self.keep] if first else []:
            self._remove(old)
        return self.path(number)

    def _finish(self, aside: Path, number: int, contents: Mapping[str, Any]) -> None:
        """Write the manifest of the new folder and rename the folder."""
        made_by = {"format": FORMAT, "openworld": __version__, "number": number}
        manifest = checksums.added({**made_by, **contents, "files": _measure(aside)})
        (aside / MANIFEST).write_text(json.dumps(manifest, indent=1, allow_nan=False))
        _flush(aside)
        # A checkpoint of this number is there only if a run is repeated from an earlier one.
        self._remove(number)
        aside.rename(self.path(number))
        _flush_folder(self.folder)

    def _remove(self, number: int) -> None:
        """Rename a checkpoint and remove it, so that it is never incomplete under its name."""
        with suppress(OSError):
            gone = self.path(number).rename(self.folder / f"{_GONE}{number:010d}")
            shutil.rmtree(gone, ignore_errors=True)

    def read(self, number: int, part: str = "") -> Manifest:
        """Read a checkpoint's manifest and check its files, or those of a part."""
        manifest = self.manifest(number)
        path, within = self.path(number), f"{part}/" if part else ""
        here = {file.relative_to(path).as_posix() for file in (path / part).rglob("*") if not file.is_dir()}
        for name in sorted(here - manifest.files.keys() - {MANIFEST}):
            if not name.rpartition("/")[2].startswith("."):  # files of a file manager
                raise self._damaged(number, f"{name} was not written with it")
        for name, (size, checksum) in manifest.files.items():
            file = path / name
            if not name.startswith(within):
                continue
            if not file.is_file() or file.stat().st_size != size or _checksum(file) != checksum:
                raise self._damaged(number, f"{name} is not as it was written")
        return manifest

    def manifest(self, number: int) -> Manifest:
        """Return a checkpoint's manifest without a check of its files."""
        path = self.path(number)
        if not path.is_dir():
            raise CheckpointError(f"{self.folder} holds no checkpoint {number}")
        try:
            content = bounded_json.read(path / MANIFEST, max_bytes=MOST_MANIFEST)
            if not isinstance(content, dict) or "format" not in content:
                raise ValueError("it is not a manifest")
        except OSError as error:
            raise self._damaged(number, f"its {MANIFEST} cannot be read ({error.strerror})") from error
        except ValueError as error:
            raise self._damaged(number, f"its {MANIFEST} cannot be read ({error})") from error
        problem = format_problem(content["format"], FORMAT, maker_of(content))
        if problem:
            raise CheckpointError(f"{path} {problem}")
        try:
            checksums.verify(content)
            return _manifest(content, number)
        except ValueError as error:
            raise self._damaged(number, f"its {MANIFEST} is wrong: {error}") from error

    def restore(self, number: int, part: str, template: Any) -> Any:
        """Return a part in the form of a template.

        Args:
            number: of the checkpoint.
            part: its name.
            template: a tree whose leaves have a shape and a dtype. A leaf with a sharding is placed
                accordingly, on any number of devices.
        """
        manifest = self.read(number, part)
        kept = manifest.arrays.get(part, {})
        wanted = {name: [str(leaf.dtype), *leaf.shape] for name, leaf in _stored(template).items()}
        for name in sorted({*kept, *wanted}):
            if kept.get(name) != wanted.get(name):
                raise CheckpointError(
                    f"{self.path(number)} is of another version: {part}{name} is {_describe(kept.get(name))} "
                    f"there and {_describe(wanted.get(name))} here"
                )
        files = sum(size for name, (size, _) in manifest.files.items() if name.startswith(f"{part}/"))
        if files > 2 * _bytes_of(template) + MOST_BESIDE:
            raise self._damaged(number, f"{part} has {files:,} bytes, more than its arrays can have")
        try:
            arrays = _restore_part(self.path(number) / part, template)
        except Exception as error:  # the storage libraries raise many kinds
            raise self._damaged(number, _cause(error)) from error
        return _rebuild(template, arrays)

    def _damaged(self, number: int, reason: str) -> CheckpointError:
        older = [n for n in self.numbers() if n < number]
        remedy = f"; delete that folder to continue from checkpoint {older[-1]}" if older else ""
        return CheckpointError(f"{self.path(number)} is damaged or cut short: {reason}{remedy}")

    def _sweep(self) -> None:
        """Remove the folders that a killed save left."""
        if self.folder.is_dir():
            for entry in (*self.folder.glob(f"{_ASIDE}*"), *self.folder.glob(f"{_GONE}*")):
                shutil.rmtree(entry, ignore_errors=True)


def _manifest(content: dict[str, Any], number: int) -> Manifest:
    """Return the manifest after a check of every entry; an error is a `ValueError`."""
    for name, kind in _ENTRIES.items():
        if type(content.get(name)) is not kind:
            raise ValueError(f"it has no {name}")
    if content["number"] != number:
        raise ValueError(f"it is that of checkpoint {content['number']}")
    for part, arrays in content["arrays"].items():
        if not isinstance(arrays, dict) or not all(_is_array(array) for array in arrays.values()):
            raise ValueError(f"{part[:60]!r} is not a list of arrays")
    for name, entry in content["files"].items():
        if not (_are_sizes(entry) and len(entry) == 2) or ".." in name.split("/") or name.startswith("/"):
            raise ValueError(f"{name[:60]!r} is not one of its files")
    _check_facts(content["facts"])
    return Manifest(**{name: content[name] for name in _ENTRIES})


def _check_facts(facts: dict[str, Any]) -> None:
    """Raise `ValueError` for facts that no run saves."""
    for name in ("seconds", "transitions"):
        value = facts.get(name, 0)
        if type(value) not in (int, float) or not 0 <= value < 1e300:
            raise ValueError(f"{name} is {str(value)[:60]!r}")
    if not isinstance(facts.get("row", {}), dict):
        raise ValueError("its row of metrics is not a dictionary")


def _is_array(array: Any) -> bool:
    return isinstance(array, list) and bool(array) and isinstance(array[0], str) and _are_sizes(array[1:])


def _are_sizes(values: Any) -> bool:
    return isinstance(values, list) and all(type(value) is int and value >= 0 for value in values)


def _bytes_of(template: Any) -> int:
    return sum(math.prod(leaf.shape) * np.dtype(leaf.dtype).itemsize for leaf in _stored(template).values())


def _names(tree: Any) -> dict[str, Any]:
    leaves, _ = jax.tree_util.tree_flatten_with_path(tree)
    return {jax.tree_util.keystr(path): leaf for path, leaf in leaves}


def _is_key(leaf: Any) -> bool:
    return jnp.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _stored(tree: Any) -> dict[str, Any]:
    """Return a tree's leaves as they are stored: keys as their data, and no arrays without elements."""
    stored = {name: _words(leaf) if _is_key(leaf) else leaf for name, leaf in _names(tree).items()}
    return {name: leaf for name, leaf in stored.items() if np.prod(leaf.shape) > 0}


def _words(key: Any) -> jax.ShapeDtypeStruct:
    """Return the shape of a key's data, with the sharding of the key."""
    words = jax.eval_shape(jax.random.key_data, key)
    return jax.ShapeDtypeStruct(words.shape, words.dtype, sharding=getattr(key, "sharding", None))


def _save_part(path: Path, tree: Any) -> dict[str, list[Any]]:
    import orbax.checkpoint as ocp

    leaves = {
        name: jax.random.key_data(leaf) if _is_key(leaf) else leaf for name, leaf in _names(tree).items()
    }
    leaves = {name: leaf for name, leaf in leaves.items() if leaf.size > 0}
    with _quiet(), ocp.StandardCheckpointer() as checkpointer:
        checkpointer.save(path.absolute(), leaves)
        checkpointer.wait_until_finished()
    return {name: [str(leaf.dtype), *leaf.shape] for name, leaf in leaves.items()}


def _restore_part(path: Path, template: Any) -> dict[str, Any]:
    import orbax.checkpoint as ocp

    here = jax.sharding.SingleDeviceSharding(jax.local_devices()[0])
    wanted = {
        name: jax.ShapeDtypeStruct(leaf.shape, leaf.dtype, sharding=getattr(leaf, "sharding", None) or here)
        for name, leaf in _stored(template).items()
    }
    with _quiet(), ocp.StandardCheckpointer() as checkpointer:
        return checkpointer.restore(path.absolute(), wanted)


def _rebuild(template: Any, arrays: dict[str, Any]) -> Any:
    def leaf_of(name: str, leaf: Any) -> Any:
        if name not in arrays:
            return jnp.zeros(leaf.shape, leaf.dtype, device=getattr(leaf, "sharding", None))
        return jax.random.wrap_key_data(arrays[name]) if _is_key(leaf) else arrays[name]

    leaves = [leaf_of(name, leaf) for name, leaf in _names(template).items()]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


def _meet(name: str) -> None:
    """Return when all processes of the run have called this."""
    if jax.process_count() > 1:
        from jax.experimental import multihost_utils

        multihost_utils.sync_global_devices(name)


def _measure(folder: Path) -> dict[str, list[int]]:
    files = sorted(file for file in folder.rglob("*") if file.is_file())
    return {file.relative_to(folder).as_posix(): [file.stat().st_size, _checksum(file)] for file in files}


def _checksum(file: Path) -> int:
    total = 0
    with file.open("rb") as stream:
        while block := stream.read(1 << 22):
            total = zlib.crc32(block, total)
    return total


def _flush(folder: Path) -> None:
    """Wait until all files of a folder are on the disk, before the folder is renamed."""
    for entry in folder.rglob("*"):
        if entry.is_dir():
            _flush_folder(entry)
            continue
        with entry.open("rb") as stream:
            os.fsync(stream.fileno())
    _flush_folder(folder)


def _flush_folder(folder: Path) -> None:
    if os.name == "posix":
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _describe(array: list[Any] | None) -> str:
    return f"{array[0]}{array[1:]}" if array else "absent"


def _cause(error: Exception) -> str:
    """Return the cause of an error of the storage libraries in one line."""
    text = str(error).strip() or type(error).__name__
    if os.strerror(errno.ENOSPC) in text:
        return os.strerror(errno.ENOSPC)
    return getattr(error, "strerror", None) or text.splitlines()[0]


@contextmanager
def _quiet() -> Iterator[None]:
    """Turn off the log of the storage libraries; the error that is raised says the same in one line."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        yield
    finally:
        logger.setLevel(level)
