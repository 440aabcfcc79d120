"""Export a trained agent to a folder of its own: `model.safetensors` and `model_card.json`."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from openworld.system import checksums
from openworld.system.files import check_folder
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.run import tensor_file
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.exported import CARD, KEPT_AS, WEIGHTS, checksum, kept_dtype, named_arrays
from openworld_trainers.run.load import load_agent


def export(run_dir: Path | str, out: Path | str, force: bool = False, *, dtype: str | None = None) -> Path:
    """Write a run's newest policy, or a checkpoint's, to a new folder, completely or not at all.

    Args:
        run_dir: a run's folder, one of its checkpoints, or an export.
        out: the new folder.
        force: replace an export in `out`; a folder with other files is never replaced.
        dtype: in which the parameters are kept, float32 or float16 (half the size; loading makes float32 of it);
            None: as they are kept now.

    Returns:
        The folder.

    Example:
        >>> export("runs/first", "agents/first")  # doctest: +SKIP
    """
    if dtype is not None and dtype not in KEPT_AS:
        raise AgentError(f"dtype {dtype!r} must be one of {', '.join(KEPT_AS)}")
    out = Path(out)
    try:
        _check_free(out, force)
    except OSError as error:
        raise AgentError(f"no agent can be exported to {out}: {error.strerror or error}") from error
    agent = load_agent(run_dir)
    kept_as = dtype or str(agent.card.get("weights", {}).get("dtype", KEPT_AS[0]))
    weights, card = contents(agent.network, agent.card, kept_as)
    try:
        out = Path(os.path.realpath(out)) if out.is_symlink() else out
        out.parent.mkdir(parents=True, exist_ok=True)
        # The inner folder gets the mode of the umask; only its owner can read the outer one.
        outer = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.part"))
        try:
            aside = outer / "new"
            aside.mkdir()
            _write(aside / WEIGHTS, weights)
            _write(aside / CARD, card)
            if out.is_dir():
                out.rename(outer / "old")
            aside.rename(out)
        except BaseException:
            if (outer / "old").exists() and not out.exists():
                (outer / "old").rename(out)
            raise
        finally:
            shutil.rmtree(outer, ignore_errors=True)
    except OSError as error:
        raise AgentError(f"no agent could be exported to {out}: {error.strerror}") from error
    return out


def contents(network: ActorCritic, card: Mapping[str, Any], dtype: str = KEPT_AS[0]) -> tuple[bytes, bytes]:
    """Return the contents of an export's two files: the parameters in a dtype, and the model card."""
    weights = tensor_file.to_bytes(_arrays(network, dtype), {"format": "np"})
    about = {"file": WEIGHTS, "sha256": checksum(weights), "dtype": dtype}
    whole = checksums.added({**card, "weights": about})
    return weights, (json.dumps(whole, indent=2, allow_nan=False) + "\n").encode()


def _arrays(network: Any, dtype: str) -> dict[str, np.ndarray]:
    """Return the arrays of an export by name; a number that the dtype cannot hold is an `AgentError`."""
    arrays = {}
    for name, leaf in named_arrays(network).items():
        array = np.asarray(leaf)
        with np.errstate(over="ignore"):
            arrays[name] = array.astype(kept_dtype(array.dtype, dtype))
        if np.isinf(np.asarray(arrays[name], np.float32)).any():
            raise AgentError(f"no {dtype} can hold all numbers of {name}; export with --dtype {KEPT_AS[0]}")
    return arrays


def _check_free(out: Path, force: bool) -> None:
    """Raise `AgentError` if the folder cannot be made or has files, before the agent is read."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        if not (force and out.is_dir()):
            hint = "; --force replaces an export" if out.is_dir() and (out / CARD).is_file() else ""
            raise AgentError(f"{out} exists already; choose a new folder to export to{hint}")
        others = sorted(entry.name for entry in out.iterdir() if entry.name not in (WEIGHTS, CARD))
        if others:
            raise AgentError(
                f"{out} is not an export: it holds {others[0]!r}; choose a new folder to export to"
            )
    check_folder(out.parent, out)


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
