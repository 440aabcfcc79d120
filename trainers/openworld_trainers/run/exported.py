"""Read an export: a folder of two files. Nothing is unpickled, and every file is checked first.

`model.safetensors` holds the parameters. `model_card.json` describes the agent; it has a checksum of the
parameters and one of itself. Reading needs none of the packages for training.
"""

import hashlib
import math
import struct
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from openworld.system import bounded_json, checksums
from openworld_trainers.errors import format_problem, maker_of, reading, require
from openworld_trainers.ppo import records
from openworld_trainers.ppo.batched_env import BatchedEnv, identity_problem, make_env
from openworld_trainers.ppo.config import Env, Network
from openworld_trainers.ppo.networks import ActorCritic, make_network
from openworld_trainers.run.agent import AgentError

WEIGHTS, CARD = "model.safetensors", "model_card.json"
#: The kind of file, and the version of its layout and of the names in it. Others are refused.
FORMAT, SCHEMA = "openworld agent", 4
#: The largest card, and the largest header of a safetensors file, in bytes.
MOST_CARD, MOST_HEADER = 1 << 20, 1 << 20
#: The names of dtypes in safetensors files; networks have no others.
DTYPES = {
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F64": "float64",
    "U8": "uint8",
    "I32": "int32",
}
#: The dtypes that an export may keep its parameters in; a network has float32.
KEPT_AS = ("float32", "float16")


def checksum(content: bytes) -> str:
    """Return the checksum of the parameters' file, as in the model card."""
    return hashlib.sha256(content).hexdigest()


def read_export(folder: Path) -> tuple[ActorCritic, dict[str, Any]]:
    """Return an exported policy, with parameters in float32, and its model card.

    Raises:
        AgentError: a file is damaged, of another version, or made for another environment.
    """
    require("", "safetensors", purpose="loading an agent")
    card = read_card(folder)
    try:
        settings = Env(id=card["env_id"], time_limit=card["time_limit"])
        records.check(isinstance(card["network"], dict), "network should hold settings")
        network_settings = records.from_dict(card["network"], Network)
        wanted, dtype = card["weights"]["sha256"], card["weights"].get("dtype", KEPT_AS[0])
        records.check(
            dtype in KEPT_AS, f"weights.dtype {str(dtype)[:40]!r} should be one of {', '.join(KEPT_AS)}"
        )
        env = make_env(settings)
    except KeyError as error:
        raise AgentError(f"{folder / CARD} cannot be read: it has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise AgentError(f"{folder / CARD} cannot be read: {error}") from error
    if problem := identity_problem(env, card):
        raise AgentError(f"{folder / CARD} {problem}")
    template = shapes_of(env, network_settings)
    kept = _read_weights(folder / WEIGHTS, template, wanted, dtype)
    check_finite(kept, folder / WEIGHTS)
    leaves = [jnp.asarray(kept[name], leaf.dtype) for name, leaf in named_arrays(template).items()]
    return jax.tree.unflatten(jax.tree.structure(template), leaves), card


def read_card(folder: Path) -> dict[str, Any]:
    """Return the model card of an export, whose checksum is right."""
    path = folder / CARD
    with reading(path, AgentError, "is damaged"):
        card = bounded_json.read(path, max_bytes=MOST_CARD)
    if not isinstance(card, dict) or card.get("format") != FORMAT or type(card.get("schema")) is not int:
        raise AgentError(f"{path} is not the card of an exported agent")
    if card["schema"] != SCHEMA:
        raise AgentError(f"{path} {format_problem(card['schema'], SCHEMA, maker_of(card))}")
    with reading(path, AgentError, "is damaged"):
        checksums.verify(card)
    return card


def _read_weights(path: Path, template: ActorCritic, wanted: Any, dtype: str) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file, after a check of its size, checksum and header."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    arrays = {
        name: jax.ShapeDtypeStruct(leaf.shape, kept_dtype(leaf.dtype, dtype))
        for name, leaf in named_arrays(template).items()
    }
    most = 8 + MOST_HEADER + sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in arrays.values())
    with reading(path, AgentError, "is damaged"):
        content = bounded_json.read_bytes(path, max_bytes=most)
    if checksum(content) != wanted:
        raise AgentError(f"{path} is damaged: its checksum is not the one in {CARD}")
    length = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    if not 0 < length <= min(MOST_HEADER, len(content) - 8):
        raise AgentError(f"{path} is damaged: it has no safetensors header")
    _check_header(content[8 : 8 + length], arrays, path)
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise AgentError(f"{path} is damaged: {error}") from error


def _check_header(header: bytes, arrays: dict[str, Any], path: Path) -> None:
    """Raise `AgentError` if the arrays are not those of the network."""
    try:
        entries = bounded_json.loads(header)
        kept = {
            name: f"{DTYPES[entry['dtype']]}{[int(size) for size in entry['shape']]}"
            for name, entry in entries.items()
            if name != "__metadata__"
        }
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise AgentError(f"{path} is damaged: its header cannot be read") from error
    for name in sorted({*arrays, *kept}):
        here = f"{arrays[name].dtype}{list(arrays[name].shape)}" if name in arrays else "absent"
        there = kept.get(name, "absent")
        if here != there:
            raise AgentError(
                f"{path} is of another version: {name[:60]} is {there[:60]} there and {here} here"
            )


def check_finite(arrays: dict[str, Any], path: Path) -> None:
    """Raise `AgentError` if a parameter is NaN or infinite."""
    for name, array in arrays.items():
        if not np.isfinite(np.asarray(array, np.float32)).all():
            raise AgentError(f"{path} cannot be played: its {name} holds a number that is not finite")


def kept_dtype(own: Any, dtype: str) -> np.dtype:
    """Return the dtype in which an export keeps an array: only those of numbers with a point are shortened.

    Example:
        >>> kept_dtype("float32", "float16"), kept_dtype("int32", "float16")
        (dtype('float16'), dtype('int32'))
    """
    return np.dtype(dtype) if np.dtype(own) == np.float32 else np.dtype(own)


def shapes_of(env: BatchedEnv, settings: Network) -> ActorCritic:
    """Return the shapes of the network of some settings in an environment."""
    return jax.eval_shape(partial(make_network, env, settings), jax.random.key(0))


def named_arrays(network: Any) -> dict[str, Any]:
    """Return a network's arrays by name, as "trunk.0.weight"."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(network)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}
