"""A trained agent by itself: exported to safetensors with a model card, and loaded as a pure function.

An export is a folder of two files. `model.safetensors` holds the parameters, `model_card.json` what they are for
and a checksum of them. Nothing is unpickled.
"""

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jaxtyping import Array, Float32, Int32, Key, Shaped

from trainers.checkpoint import Checkpoints
from trainers.errors import TrainerError, require
from trainers.ppo import records
from trainers.ppo.config import Network, World
from trainers.ppo.encoders import TokenEncoder
from trainers.ppo.networks import ActorCritic, count_parameters, make_network
from trainers.ppo.runs import check_identity, of_newest, read_config
from trainers.ppo.worlds import identity, make
from trainers.sinks import CONFIG, RunFolder, versions

WEIGHTS, CARD = "model.safetensors", "model_card.json"
#: What a card says it is, and the version of its layout; a change that old code cannot read raises it.
FORMAT, SCHEMA = "openworld agent", 1
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

    What is damaged, or made for other rules, another observation or a newer version, is an error of one line.

    Returns:
        An `Agent`, `tokens -> action`; with memory a `RecurrentAgent`, `(memory, tokens) -> (memory, action)`.
    """
    path = Path(path)
    if not path.exists():
        raise AgentError(f"there is no {path}")
    if (path / CONFIG).is_file():
        network, card = of_newest(Checkpoints(RunFolder(path).checkpoints), partial(_of_run, path))
    elif path.is_dir() and path.name.isdigit():
        network, card = _of_run(path.absolute().parent.parent, int(path.name))
    elif (path / CARD).is_file() or (path / WEIGHTS).is_file():
        network, card = _of_export(path)
    elif path.name in (WEIGHTS, CARD):
        network, card = _of_export(path.parent)
    else:
        raise AgentError(f"{path} is no run, no checkpoint and no exported agent")
    return (Agent if network.gru is None else RecurrentAgent)(network, card)


def export(run_dir: Path | str, out: Path | str) -> Path:
    """Write a run's newest policy, or a checkpoint's, and its model card to a new folder; whole or not at all."""
    require("train", "safetensors", purpose="exporting an agent")
    from safetensors.numpy import save

    agent, out = load_agent(run_dir), Path(out)
    if out.exists() and not (out.is_dir() and not any(out.iterdir())):
        raise AgentError(f"{out} is there already; choose a new folder to export to")
    weights = save({name: np.asarray(leaf) for name, leaf in _named(agent.network).items()}, {"format": "np"})
    card = agent.card | {"weights": {"file": WEIGHTS, "sha256": checksum(weights)}}
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        aside = Path(tempfile.mkdtemp(dir=out.parent, prefix=f".{out.name}.part"))
        try:
            _write(aside / WEIGHTS, weights)
            _write(aside / CARD, (json.dumps(card, indent=2) + "\n").encode())
            aside.chmod(0o755)
            if out.is_dir():
                out.rmdir()
            aside.rename(out)
        except BaseException:
            shutil.rmtree(aside, ignore_errors=True)
            raise
    except OSError as error:
        raise AgentError(f"no agent could be exported to {out}: {error.strerror}") from error
    return out


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
    network = checkpoints.restore(number, "policy", _template(config.world, config.network))
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
    from safetensors import SafetensorError
    from safetensors.numpy import load

    card = _read_card(folder)
    try:
        settings = World(id=card["world"], time_limit=card["time_limit"])
        records.check(isinstance(card["network"], dict), "network should hold settings")
        network_settings = records.from_dict(card["network"], Network)
        wanted = card["weights"]["sha256"]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise AgentError(f"{folder / CARD} cannot be read: {error}") from error
    check_identity(make(settings), card, folder / CARD)
    path = folder / WEIGHTS
    try:
        content = path.read_bytes()
        if checksum(content) != wanted:
            raise AgentError(f"{path} is damaged: its checksum is not the one in {CARD}")
        kept = load(content)
    except OSError as error:
        raise AgentError(f"{path} cannot be read: {error.strerror}") from error
    except SafetensorError as error:
        raise AgentError(f"{path} is damaged: {error}") from error
    return _filled(_template(settings, network_settings), kept, path), card


def _read_card(folder: Path) -> dict[str, Any]:
    path = folder / CARD
    try:
        card = json.loads(path.read_text())
    except OSError as error:
        raise AgentError(f"{path} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise AgentError(f"{path} is damaged: it is no JSON") from error
    if not isinstance(card, dict) or card.get("format") != FORMAT or type(card.get("schema")) is not int:
        raise AgentError(f"{path} is no card of an exported agent")
    if card["schema"] > SCHEMA:
        raise AgentError(
            f"{path} is of schema {card['schema']}; this version reads schema {SCHEMA}: upgrade openworld"
        )
    return card


def _template(world: World, settings: Network) -> ActorCritic:
    """The network's form, without numbers."""
    return jax.eval_shape(partial(make_network, make(world), settings), jax.random.key(0))


def _named(network: Any) -> dict[str, Any]:
    """A network's arrays by name, as "trunk.0.weight"."""
    leaves, _ = jax.tree_util.tree_flatten_with_path(network)
    return {jax.tree_util.keystr(path, simple=True, separator="."): leaf for path, leaf in leaves}


def _filled(template: ActorCritic, kept: dict[str, np.ndarray], path: Path) -> ActorCritic:
    """A network with the arrays of a file; where they are not the ones it needs, an `AgentError`."""
    wanted = _named(template)
    for name in sorted({*wanted, *kept}):
        here, there = (
            f"{array.dtype}{list(array.shape)}" if array is not None else "absent"
            for array in (wanted.get(name), kept.get(name))
        )
        if here != there:
            raise AgentError(f"{path} is of another version: {name} is {there} there and {here} here")
    return jax.tree.unflatten(jax.tree.structure(template), [jnp.asarray(kept[name]) for name in wanted])


def _write(path: Path, content: bytes) -> None:
    with path.open("wb") as stream:
        stream.write(content)
        stream.flush()
        os.fsync(stream.fileno())
