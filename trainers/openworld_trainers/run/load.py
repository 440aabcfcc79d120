"""Load a trained agent from a run, a checkpoint or an export.

Every file is checked first, and nothing is unpickled.

An export is a folder of two files. `model.safetensors` holds the parameters. `model_card.json` describes the
agent; it has a checksum of the parameters and one of itself.
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
from openworld_trainers.errors import format_problem, made_by, reading, require
from openworld_trainers.ppo import records
from openworld_trainers.ppo.batched_env import env_identity, make_env
from openworld_trainers.ppo.config import Env, Network
from openworld_trainers.ppo.networks import ActorCritic, count_parameters, make_network
from openworld_trainers.run.agent import Agent, AgentError, RecurrentAgent
from openworld_trainers.run.checkpoint import CheckpointError, Checkpoints
from openworld_trainers.run.folder import CONFIG, RunFolder
from openworld_trainers.run.settings import check_identity, check_network, read_config, read_newest

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
LICENCE = "MIT"


def load_agent(path: Path | str) -> Agent:
    """Load a trained agent.

    Args:
        path: a run's folder, one of its checkpoints, or an export (its folder or one of its files).

    Returns:
        An `Agent`, `tokens -> action`; with memory a `RecurrentAgent`, `(memory, tokens) -> (memory,
        action)`.

    Raises:
        AgentError: the export is damaged, was changed by hand, is of another version, or was made for other
        rules
            or another observation; or parameters are not finite. The message is one line and names the file.
        CheckpointError: the same for a checkpoint of a run.
        RunFolderError: the same for the settings of a run.

    Example:
        >>> agent = load_agent("runs/first")  # doctest: +SKIP
    """
    path = Path(path)
    if not path.exists():
        raise AgentError(f"there is no {path}")
    if (path / CONFIG).is_file():
        network, card = read_newest(Checkpoints(RunFolder(path).checkpoints), partial(_of_run, path))
    elif path.is_dir() and path.name.isdecimal() and path.name.isascii():
        network, card = _of_run(path.absolute().parent.parent, int(path.name))
    elif (path / CARD).is_file() or (path / WEIGHTS).is_file():
        network, card = _of_export(path)
    elif path.name in (WEIGHTS, CARD):
        network, card = _of_export(path.parent)
    else:
        raise AgentError(f"{path} is not a run, a checkpoint or an exported agent")
    remembers = network.recurrent or network.sees_action
    return (RecurrentAgent if remembers else Agent)(network, card)


def checksum(content: bytes) -> str:
    """Return the checksum of the parameters' file, as in the model card."""
    return hashlib.sha256(content).hexdigest()


def _of_run(run_dir: Path, number: int) -> tuple[ActorCritic, dict[str, Any]]:
    """Return a checkpoint's policy, and a model card for it."""
    folder = RunFolder(run_dir)
    record, config = folder.read_settings(), read_config(folder)
    checkpoints, env = Checkpoints(folder.checkpoints), make_env(config.env)
    facts = checkpoints.manifest(number).facts
    check_identity(env, facts, checkpoints.path(number))
    check_network(config.network, facts, checkpoints.path(number))
    network = checkpoints.restore(number, "policy", _template(config.env, config.network))
    _check_finite(named_arrays(network), checkpoints.path(number))
    rows = [row for row in folder.metrics() if row["update"] <= number and row.get("return") is not None]
    last = rows[-1] if rows else {}
    card = {
        "format": FORMAT,
        "schema": SCHEMA,
        **env_identity(env),
        "time_limit": config.env.time_limit,
        "network": records.to_dict(config.network),
        "parameters": count_parameters(network),
        "training": {
            "updates": number,
            "transitions": facts.get("transitions"),
            "seconds": facts.get("seconds"),
            "seed": config.run.seed,
            "return": last.get("return"),
            "episode_length": last.get("length"),
        },
        "commit": record.get("commit", ""),
        "versions": record.get("versions", {}),
        "licence": LICENCE,
    }
    return network, card


def _of_export(folder: Path) -> tuple[ActorCritic, dict[str, Any]]:
    """Return an exported policy and its model card."""
    require("train", "safetensors", purpose="loading an agent")

    card = _read_card(folder)
    try:
        settings = Env(id=card["env_id"], time_limit=card["time_limit"])
        records.check(isinstance(card["network"], dict), "network should hold settings")
        network_settings = records.from_dict(card["network"], Network)
        wanted = card["weights"]["sha256"]
        env = make_env(settings)
        check_identity(env, card, folder / CARD)
    except KeyError as error:
        raise AgentError(f"{folder / CARD} cannot be read: it has no {error}") from error
    except CheckpointError as error:
        raise AgentError(str(error)) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise AgentError(f"{folder / CARD} cannot be read: {error}") from error
    template = _template(settings, network_settings)
    kept = _read_weights(folder / WEIGHTS, template, wanted)
    _check_finite(kept, folder / WEIGHTS)
    wanted_names = named_arrays(template)
    return jax.tree.unflatten(
        jax.tree.structure(template), [jnp.asarray(kept[name]) for name in wanted_names]
    ), card


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    with reading(path, AgentError, "is damaged"):
        card = bounded_json.read(path, max_bytes=MOST_CARD)
    if not isinstance(card, dict) or card.get("format") != FORMAT or type(card.get("schema")) is not int:
        raise AgentError(f"{path} is not the card of an exported agent")
    if card["schema"] != SCHEMA:
        raise AgentError(f"{path} {format_problem(card['schema'], SCHEMA, made_by(card))}")
    with reading(path, AgentError, "is damaged"):
        checksums.verify(card)
    return card


def _read_weights(path: Path, template: ActorCritic, wanted: Any) -> dict[str, np.ndarray]:
    """Return the arrays of a safetensors file, after a check of its size, checksum and header."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    arrays = named_arrays(template)
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


def _check_finite(arrays: dict[str, Any], path: Path) -> None:
    """Raise `AgentError` if a parameter is NaN or infinite."""
    for name, array in arrays.items():
        if not np.isfinite(np.asarray(array, np.float32)).all():
            raise AgentError(f"{path} cannot be played: its {name} holds a number that is not finite")


def _template(env: Env, settings: Network) -> ActorCritic:
    """Return the shapes of the network."""
    return jax.eval_shape(partial(make_network, make_env(env), settings), jax.random.key(0))


def named_arrays(network: Any) -> dict[str, Any]:
    """Return a network's arrays by name, as "trunk.0.weight"."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(network)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}
