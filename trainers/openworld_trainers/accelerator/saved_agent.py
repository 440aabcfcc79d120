"""A policy with its optimiser in one file, from which a later leg goes on in fresh worlds.

The file has the format safetensors. It is replaced whole, so that it is never of two updates.
"""

import json
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp

from openworld.system import bounded_json
from openworld.system.files import replacing
from openworld_trainers.ppo.update import TrainState
from openworld_trainers.run import export, tensor_file
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.load import CARD, WEIGHTS, different, named_arrays

#: The file, and the largest one that is read, in bytes.
STATE, MOST_STATE = "state.safetensors", 1 << 30
#: Where the file lies below the folder of the results.
FOLDER = "train"


def write(folder: Path, train_state: TrainState, card: dict[str, Any]) -> None:
    """Write the file, and beside it the export of the policy that other commands read."""
    with replacing(folder / STATE) as aside:
        texts = {"card": json.dumps(card, allow_nan=False)}
        aside.write_bytes(tensor_file.to_bytes(named_arrays(train_state), texts))
    weights, text = export.contents(train_state.network, card)
    for name, content in ((WEIGHTS, weights), (CARD, text)):
        with replacing(folder / "agent" / name) as aside:
            aside.write_bytes(content)


def read(path: Path, *, weights_only: bool = False) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the arrays by name, and the card.

    Args:
        path: the file, its folder, or the folder of the results.
        weights_only: leave out the optimiser.

    Raises:
        AgentError: there is no such file, or it is damaged.
    """
    found = [file for file in (path, path / STATE, path / FOLDER / STATE) if file.is_file()]
    if not found:
        raise AgentError(f"{path} holds no {STATE} of an earlier leg")
    try:
        content = bounded_json.read_bytes(found[0], max_bytes=MOST_STATE)
        arrays, texts = tensor_file.from_bytes(content)
        card = bounded_json.loads(texts["card"])
    except (OSError, ValueError, KeyError) as error:
        raise AgentError(f"{found[0]} is damaged: {error}") from error
    return {n: a for n, a in arrays.items() if not weights_only or n.startswith("network.")}, card


def check(arrays: dict[str, Any], shapes: TrainState, *, weights_only: bool = False) -> None:
    """Raise `AgentError` if a file has another network or another optimiser.

    Args:
        arrays: of `read`.
        shapes: of the network and the optimiser that go on.
        weights_only: the file's optimiser is left out.
    """
    wanted = named_arrays(shapes)
    if weights_only:
        wanted = {name: leaf for name, leaf in wanted.items() if name.startswith("network.")}
    if problem := different(wanted, arrays):
        raise AgentError(f"the earlier leg has another network or optimiser: {problem}")


def put(arrays: dict[str, Any], train_state: TrainState) -> TrainState:
    """Return a network and an optimiser with the arrays of a file; what it does not have stays."""
    leaves = [
        jnp.asarray(arrays[name]) if name in arrays else leaf
        for name, leaf in named_arrays(train_state).items()
    ]
    return jax.tree.unflatten(jax.tree.structure(train_state), leaves)
