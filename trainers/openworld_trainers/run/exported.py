"""An export: a folder of two files. Nothing is unpickled, and every file is checked first.

`model.safetensors` holds the parameters. `model_card.json` describes the agent; it has a checksum of the
parameters and one of itself. Reading needs none of the packages for training.
"""

import hashlib
import math
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from openworld.system import bounded_json, checksums
from openworld_trainers.errors import format_problem, maker_of, reading
from openworld_trainers.ppo import records
from openworld_trainers.ppo.batched_env import BatchedEnv, env_identity, identity_problem, make_env
from openworld_trainers.ppo.config import Config, Env, Network
from openworld_trainers.ppo.networks import ActorCritic, count_parameters, make_network
from openworld_trainers.run import tensor_file
from openworld_trainers.run.agent import AgentError

WEIGHTS, CARD = "model.safetensors", "model_card.json"
#: The kind of file, and the version of its layout and of the names in it. Others are refused.
FORMAT, SCHEMA = "openworld agent", 4
#: The largest card, in bytes.
MOST_CARD = 1 << 20
#: The dtypes that an export may keep its parameters in; a network has float32.
KEPT_AS = ("float32", "float16")
LICENCE = "MIT"


def checksum(content: bytes) -> str:
    """Return the checksum of the parameters' file, as in the model card."""
    return hashlib.sha256(content).hexdigest()


def card_of(
    env: BatchedEnv,
    config: Config,
    network: ActorCritic,
    training: Mapping[str, Any],
    made_with: Mapping[str, Any],
) -> dict[str, Any]:
    """Return the model card of a policy; the checksums are added when it is exported.

    Args:
        env: the environment.
        config: all settings.
        network: the policy.
        training: updates, transitions, seconds, return, episode_length, command and origin.
        made_with: commit and versions.
    """
    return {
        "format": FORMAT,
        "schema": SCHEMA,
        **env_identity(env),
        "time_limit": config.env.time_limit,
        "network": records.to_dict(config.network),
        "parameters": count_parameters(network),
        "training": {"seed": config.run.seed, "reward": records.to_dict(config.reward), **training},
        "mask": network.masked,
        **made_with,
        "licence": LICENCE,
    }


def read_export(folder: Path) -> tuple[ActorCritic, dict[str, Any]]:
    """Return an exported policy, with parameters in float32, and its model card.

    Raises:
        AgentError: a file is damaged, of another version, or made for another environment.
    """
    card = read_card(folder)
    template = described(card, folder / CARD)
    try:
        wanted, dtype = card["weights"]["sha256"], card["weights"].get("dtype", KEPT_AS[0])
    except (KeyError, TypeError, AttributeError) as error:
        raise AgentError(f"{folder / CARD} cannot be read: its weights have no sha256") from error
    if dtype not in KEPT_AS:
        problem = f"weights.dtype {str(dtype)[:40]!r} should be one of {', '.join(KEPT_AS)}"
        raise AgentError(f"{folder / CARD} cannot be read: {problem}")
    kept = _read_weights(folder / WEIGHTS, template, wanted, dtype)
    return filled(template, kept, folder / WEIGHTS), card


def described(card: dict[str, Any], path: Path) -> ActorCritic:
    """Return the shapes of the network that a card describes.

    Args:
        card: the model card.
        path: the file that it stands in, for messages.

    Raises:
        AgentError: the card cannot be read, or it is of another environment or another version.
    """
    try:
        settings = Env(id=card["env_id"], time_limit=card["time_limit"])
        records.check(isinstance(card["network"], dict), "network should hold settings")
        network_settings = records.from_dict(card["network"], Network)
        env = make_env(settings)
    except KeyError as error:
        raise AgentError(f"{path} cannot be read: it has no {error}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise AgentError(f"{path} cannot be read: {error}") from error
    if problem := identity_problem(env, card):
        raise AgentError(f"{path} {problem}")
    return shapes_of(env, network_settings)


def filled(template: ActorCritic, arrays: Mapping[str, Any], path: Path) -> ActorCritic:
    """Return the network of some arrays by name; a number that is not finite is an `AgentError`."""
    named = named_arrays(template)
    check_finite({name: arrays[name] for name in named}, path)
    leaves = [jnp.asarray(arrays[name], leaf.dtype) for name, leaf in named.items()]
    return jax.tree.unflatten(jax.tree.structure(template), leaves)


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
    arrays = {
        name: jax.ShapeDtypeStruct(leaf.shape, kept_dtype(leaf.dtype, dtype))
        for name, leaf in named_arrays(template).items()
    }
    size = sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in arrays.values())
    with reading(path, AgentError, "is damaged"):
        content = bounded_json.read_bytes(path, max_bytes=8 + tensor_file.MOST_HEADER + size)
    if checksum(content) != wanted:
        raise AgentError(f"{path} is damaged: its checksum is not the one in {CARD}")
    try:
        kept, _ = tensor_file.from_bytes(content)
    except tensor_file.TensorFileError as error:
        raise AgentError(f"{path} is damaged: {error}") from error
    if problem := different(arrays, kept):
        raise AgentError(f"{path} is of another version: {problem}")
    return kept


def different(wanted: Mapping[str, Any], kept: Mapping[str, Any], most: int = 1) -> str:
    """Return in words the arrays, by name, whose dtype or shape is not as wanted; "" if there is none.

    Args:
        wanted: arrays or shapes by name.
        kept: arrays by name.
        most: how many are named.

    Example:
        >>> different({"a": np.zeros(3, np.float32)}, {"a": np.zeros(4, np.float32)})
        'a is float32[4] there and float32[3] here'
    """
    pairs = {name: (_shape(kept.get(name)), _shape(wanted.get(name))) for name in sorted({*wanted, *kept})}
    found = [
        f"{n[:60]} is {there[:60]} there and {here} here"
        for n, (there, here) in pairs.items()
        if there != here
    ]
    left = len(found) - most
    return ", ".join(found[:most]) + (f", and {left} more" if most > 1 and left > 0 else "")


def _shape(leaf: Any) -> str:
    return "absent" if leaf is None else f"{leaf.dtype}{list(leaf.shape)}"


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
