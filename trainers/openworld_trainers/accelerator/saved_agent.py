"""A policy with its optimiser in one file, from which a later leg goes on in fresh worlds.

The file has the format safetensors. It is replaced whole, so that it is never of two updates.
"""

import json
from pathlib import Path
from typing import Any

from openworld.system import bounded_json
from openworld.system.files import replacing
from openworld_trainers.ppo.update import TrainState
from openworld_trainers.run import export, tensor_file
from openworld_trainers.run.agent import AgentError
from openworld_trainers.run.exported import CARD, WEIGHTS, described, different, filled, named_arrays
from openworld_trainers.run.load import agent_of
from openworld_trainers.run.origin import Origin

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


def read(path: Path, *, weights_only: bool = False) -> Origin:
    """Return the agent that a leg goes on from.

    Args:
        path: the file, its folder, or the folder of the results.
        weights_only: leave out the optimiser.

    Raises:
        AgentError: there is no such file, or it is damaged, or of another version.
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
    template, parameters = described(card, found[0]), _below("network.", arrays)
    if problem := different(named_arrays(template), parameters):
        raise AgentError(f"{found[0]} is of another version: {problem}")
    agent = agent_of(filled(template, parameters, found[0]), card)
    return Origin(str(path), agent, None if weights_only else _below("opt_state.", arrays))


def _below(prefix: str, arrays: dict[str, Any]) -> dict[str, Any]:
    """Return the arrays whose names begin with a prefix, by the rest of their names."""
    return {name.removeprefix(prefix): array for name, array in arrays.items() if name.startswith(prefix)}
