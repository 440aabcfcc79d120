"""Export a trained agent to a folder of its own: `model.safetensors` and `model_card.json`."""

import json
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from openworld.system import checksums
from openworld.system.files import check_folder
from openworld_trainers.ppo.networks import ActorCritic
from openworld_trainers.run import tensor_file
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.load import CARD, WEIGHTS, checksum, load_agent, named_arrays


def export(run_dir: Path | str, out: Path | str, force: bool = False) -> Path:
    """Write a run's newest policy, or a checkpoint's, to a new folder, completely or not at all.

    Args:
        run_dir: a run's folder, or one of its checkpoints.
        out: the new folder.
        force: replace an export in `out`; a folder with other files is never replaced.

    Returns:
        The folder.

    Example:
        >>> export("runs/first", "agents/first")  # doctest: +SKIP
    """
    out = Path(out)
    try:
        _check_free(out, force)
    except OSError as error:
        raise AgentError(f"no agent can be exported to {out}: {error.strerror or error}") from error
    agent = load_agent(run_dir)
    weights, card = contents(agent.network, agent.card)
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


def contents(network: ActorCritic, card: Mapping[str, Any]) -> tuple[bytes, bytes]:
    """Return the contents of an export's two files: the parameters, and the model card."""
    weights = tensor_file.to_bytes(named_arrays(network), {"format": "np"})
    whole = checksums.added({**card, "weights": {"file": WEIGHTS, "sha256": checksum(weights)}})
    return weights, (json.dumps(whole, indent=2, allow_nan=False) + "\n").encode()


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
