"""A trained agent by itself: exported to safetensors with a model card, and loaded as a pure function.

An export is a folder of two files. `model.safetensors` holds the parameters, `model_card.json` what they are for,
a checksum of them and one of itself. Nothing is unpickled.
"""

import hashlib
import json
import math
import os
import shutil
import struct
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int32, Key, Shaped

from openworld.system import bounded_json, checksums, forking
from openworld.system.files import check_folder
from openworld_trainers.errors import TrainerError, require
from openworld_trainers.ppo import records
from openworld_trainers.ppo.config import Network, World
from openworld_trainers.ppo.encoders import TokenEncoder
from openworld_trainers.ppo.networks import ActorCritic, count_parameters, make_network
from openworld_trainers.ppo.worlds import identity, make
from openworld_trainers.run.checkpoint import CheckpointError, Checkpoints
from openworld_trainers.run.folder import check_identity, check_network, of_newest, read_config
from openworld_trainers.run.metrics import CONFIG, RunFolder, versions

WEIGHTS, CARD = "model.safetensors", "model_card.json"
#: What a card says it is, and the version of its layout; a change that old code cannot read raises it. Of schema 1
#: the checksum was of the weights alone: what else a card says could be changed unseen, and so none is read.
FORMAT, SCHEMA = "openworld agent", 2
#: Bytes of a card, and of the header of a safetensors file.
MOST_CARD, MOST_HEADER = 1 << 20, 1 << 20
#: safetensors' names of dtypes; networks have no others.
DTYPES = {
    "F32": "float32",
    "F16": "float16",
    "BF16": "bfloat16",
    "F64": "float64",
    "U8": "uint8",
    "I32": "int32",
}
LICENCE = "MIT"


class AgentError(TrainerError, ValueError):
    """An agent that cannot be exported or loaded."""


@dataclass(frozen=True, eq=False)
class Agent:
    """A policy without memory, pure and jittable: `agent(tokens)`, or `agent(tokens, key)` for a random draw.

    Attributes:
        card: the model card: what it was trained in, how long, and what it reached.
    """

    network: ActorCritic
    card: dict[str, Any]

    def __call__(
        self, tokens: Shaped[Array | np.ndarray, "..."], key: Key[Array, ""] | None = None
    ) -> Int32[Array, "..."]:
        """The action for an observation, or for each of a batch of them.

        Without a key it is the likeliest one; with a key it is drawn as in training.
        """
        forking.refuse()
        memory = self.network.blank(1 if tokens.ndim < 2 else tokens.shape[0])
        return _choose(self.network, memory, self._batch(tokens), key)[1].reshape(self._lead(tokens))

    def _lead(self, tokens: Any) -> tuple[int, ...]:
        return tokens.shape[: tokens.ndim - len(self.card["observation_shape"])]

    def _batch(self, tokens: Any) -> Array:
        """Observations as a batch; those of another game are a `ValueError`."""
        shape, wanted = tokens.shape, tuple(self.card["observation_shape"])
        lead, bytes_only = self._lead(tokens), isinstance(self.network.encoder, TokenEncoder)
        if shape[len(lead) :] != wanted or len(lead) > 1 or (bytes_only and tokens.dtype != np.uint8):
            raise ValueError(
                f"{self.card['world']} is seen as {'uint8' if bytes_only else ''}{list(wanted)}, or a batch of "
                f"those, not as {tokens.dtype}{list(shape)}"
            )
        return jnp.asarray(tokens).reshape(-1, *wanted)


@dataclass(frozen=True, eq=False)
class RecurrentAgent(Agent):
    """A policy with memory: `memory, action = agent(memory, tokens)`, or `(memory, tokens, key)` for a draw.

    Episodes begin with the memory of `begin`: it is zeros, so `jnp.where(ended[:, None], 0, memory)` forgets.
    """

    def begin(self, worlds: int | None = None) -> Float32[Array, "..."]:
        """What is remembered at the beginning of an episode, or of as many as there are worlds."""
        blank = self.network.blank(worlds or 1)
        return blank[0] if worlds is None else blank

    def __call__(  # pyright: ignore[reportIncompatibleMethodOverride] (memory comes first)
        self,
        memory: Float32[Array | np.ndarray, "..."],
        tokens: Shaped[Array | np.ndarray, "..."],
        key: Key[Array, ""] | None = None,
    ) -> tuple[Float32[Array, "..."], Int32[Array, "..."]]:
        """What is remembered after an observation, and the action for it; either of one world or of a batch."""
        forking.refuse()
        batch, lead = self._batch(tokens), self._lead(tokens)
        width = self.network.blank(0).shape[1]
        if memory.shape != (*lead, width):
            raise ValueError(f"the memory should be float32{[*lead, width]}, not {list(memory.shape)}")
        after, action = _choose(self.network, jnp.asarray(memory).reshape(-1, width), batch, key)
        return after.reshape(memory.shape), action.reshape(lead)


@jax.jit
def _choose(
    network: ActorCritic, memory: Array, observation: Array, key: Array | None
) -> tuple[Array, Array]:
    memory, logits, _ = network.play(memory, observation)
    action = jnp.argmax(logits, axis=1) if key is None else jax.random.categorical(key, logits)
    return memory, action.astype(jnp.int32)


def load_agent(path: Path | str) -> Agent:
    """Load a trained agent from a run's folder, one of its checkpoints, or an export (its folder or its file).

    Returns:
        An `Agent`, `tokens -> action`; with memory a `RecurrentAgent`, `(memory, tokens) -> (memory, action)`.

    Raises:
        AgentError: an export that is damaged, changed by hand, of another version, or made for other rules or
            another observation; or weights that are not finite. One line, which names the file.
        CheckpointError, RunFolderError: the same of a run's checkpoint, or of its settings.
    """
    path = Path(path)
    if not path.exists():
        raise AgentError(f"there is no {path}")
    if (path / CONFIG).is_file():
        network, card = of_newest(Checkpoints(RunFolder(path).checkpoints), partial(_of_run, path))
    elif path.is_dir() and path.name.isdecimal() and path.name.isascii():
        network, card = _of_run(path.absolute().parent.parent, int(path.name))
    elif (path / CARD).is_file() or (path / WEIGHTS).is_file():
        network, card = _of_export(path)
    elif path.name in (WEIGHTS, CARD):
        network, card = _of_export(path.parent)
    else:
        raise AgentError(f"{path} is no run, no checkpoint and no exported agent")
    return (Agent if network.gru is None else RecurrentAgent)(network, card)


def export(run_dir: Path | str, out: Path | str, force: bool = False) -> Path:
    """Write a run's newest policy, or a checkpoint's, and its model card to a new folder; whole or not at all.

    Args:
        force: replace an export that is there; a folder that holds anything else stays as it is.
    """
    require("train", "safetensors", purpose="exporting an agent")
    from safetensors.numpy import save

    out = Path(out)
    try:
        _check_free(out, force)
    except OSError as error:
        raise AgentError(f"no agent can be exported to {out}: {error.strerror or error}") from error
    agent = load_agent(run_dir)
    weights = save({name: np.asarray(leaf) for name, leaf in _named(agent.network).items()}, {"format": "np"})
    card = checksums.added(agent.card | {"weights": {"file": WEIGHTS, "sha256": checksum(weights)}})
    try:
        out = Path(os.path.realpath(out)) if out.is_symlink() else out
        out.parent.mkdir(parents=True, exist_ok=True)
        # A folder within it has the mode that the umask leaves; the outer one is its maker's alone.
        outer = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.part"))
        try:
            aside = outer / "new"
            aside.mkdir()
            _write(aside / WEIGHTS, weights)
            _write(aside / CARD, (json.dumps(card, indent=2, allow_nan=False) + "\n").encode())
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


def _check_free(out: Path, force: bool) -> None:
    """Refuse a folder that cannot be made, or that holds something, before the agent is read."""
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        if not (force and out.is_dir()):
            hint = "; --force replaces an export" if out.is_dir() and (out / CARD).is_file() else ""
            raise AgentError(f"{out} is there already; choose a new folder to export to{hint}")
        others = sorted(entry.name for entry in out.iterdir() if entry.name not in (WEIGHTS, CARD))
        if others:
            raise AgentError(f"{out} is no export: it holds {others[0]!r}; choose a new folder to export to")
    check_folder(out.parent, out)


def checksum(content: bytes) -> str:
    """What a card says of its weights' file, to notice damage."""
    return hashlib.sha256(content).hexdigest()


def _of_run(run_dir: Path, number: int) -> tuple[ActorCritic, dict[str, Any]]:
    """A checkpoint's policy, and the card that tells of it."""
    folder = RunFolder(run_dir)
    record, config = folder.read_settings(), read_config(folder)
    checkpoints, world = Checkpoints(folder.checkpoints), make(config.world)
    facts = checkpoints.manifest(number).facts
    check_identity(world, facts, checkpoints.path(number))
    check_network(config.network, facts, checkpoints.path(number))
    network = checkpoints.restore(number, "policy", _template(config.world, config.network))
    _check_finite(_named(network), checkpoints.path(number))
    rows = [row for row in folder.metrics() if row["update"] <= number and row.get("return") is not None]
    last = rows[-1] if rows else {}
    card = {
        "format": FORMAT,
        "schema": SCHEMA,
        **identity(world),
        "time_limit": config.world.time_limit,
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
        "versions": record.get("versions", versions()),
        "licence": LICENCE,
    }
    return network, card


def _of_export(folder: Path) -> tuple[ActorCritic, dict[str, Any]]:
    """An exported policy and its card."""
    require("train", "safetensors", purpose="loading an agent")

    card = _read_card(folder)
    try:
        settings = World(id=card["world"], time_limit=card["time_limit"])
        records.check(isinstance(card["network"], dict), "network should hold settings")
        network_settings = records.from_dict(card["network"], Network)
        wanted = card["weights"]["sha256"]
        world = make(settings)
        check_identity(world, card, folder / CARD)
    except KeyError as error:
        raise AgentError(f"{folder / CARD} cannot be read: it has no {error}") from error
    except CheckpointError as error:
        raise AgentError(str(error)) from error
    except (TypeError, ValueError, AttributeError) as error:
        raise AgentError(f"{folder / CARD} cannot be read: {error}") from error
    template = _template(settings, network_settings)
    path = folder / WEIGHTS
    try:
        kept = _read_weights(path, template, wanted)
    except OSError as error:
        raise AgentError(f"{path} cannot be read: {error.strerror}") from error
    _check_finite(kept, path)
    wanted_names = _named(template)
    return jax.tree.unflatten(
        jax.tree.structure(template), [jnp.asarray(kept[name]) for name in wanted_names]
    ), card


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    try:
        card = bounded_json.read(path, max_bytes=MOST_CARD)
    except OSError as error:
        raise AgentError(f"{path} cannot be read: {error.strerror}") from error
    except bounded_json.JsonError as error:
        raise AgentError(f"{path} is damaged: {error}") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or type(card.get("schema")) is not int:
        raise AgentError(f"{path} is no card of an exported agent")
    if card["schema"] != SCHEMA:
        made_with = card.get("versions")
        made_by = made_with.get("openworld") if isinstance(made_with, dict) else None
        by = f" and was exported by openworld {made_by[:20]}" if isinstance(made_by, str) else ""
        remedy = "upgrade openworld" if card["schema"] > SCHEMA else "export it anew from its run"
        raise AgentError(
            f"{path} is of schema {card['schema']}{by}; this version reads schema {SCHEMA}: {remedy}"
        )
    try:
        checksums.verify(card)
    except checksums.ChecksumError as error:
        raise AgentError(f"{path} is damaged: {error}") from error
    return card


def _read_weights(path: Path, template: ActorCritic, wanted: Any) -> dict[str, np.ndarray]:
    """The arrays of a safetensors file; its size and its header are compared with what the network needs first."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    arrays = _named(template)
    most = 8 + MOST_HEADER + sum(math.prod(leaf.shape) * leaf.dtype.itemsize for leaf in arrays.values())
    try:
        content = bounded_json.read_bytes(path, max_bytes=most)
    except bounded_json.JsonError as error:
        raise AgentError(f"{path} is damaged: {error}") from error
    if checksum(content) != wanted:
        raise AgentError(f"{path} is damaged: its checksum is not the one in {CARD}")
    length = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    if not 0 < length <= min(MOST_HEADER, len(content) - 8):
        raise AgentError(f"{path} is damaged: it has no header of safetensors")
    _check_header(content[8 : 8 + length], arrays, path)
    try:
        return load(content)
    except (SafetensorError, ValueError, KeyError) as error:
        raise AgentError(f"{path} is damaged: {error}") from error


def _check_header(header: bytes, arrays: dict[str, Any], path: Path) -> None:
    """Refuse arrays other than those that the network needs."""
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
    """Refuse weights that are no numbers to play by."""
    for name, array in arrays.items():
        if not np.isfinite(np.asarray(array, np.float32)).all():
            raise AgentError(f"{path} cannot be played: its {name} holds a number that is not finite")


def _template(world: World, settings: Network) -> ActorCritic:
    """The network's form, without numbers."""
    return jax.eval_shape(partial(make_network, make(world), settings), jax.random.key(0))


def _named(network: Any) -> dict[str, Any]:
    """A network's arrays by name, as "trunk.0.weight"."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(network)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
