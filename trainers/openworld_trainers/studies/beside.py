"""Our trainer compared with a PPO loop around the published package: speed, and return at equal data.

    python -m openworld_trainers.studies.beside --updates 8 --out docs/results/ppo-beside-cpu.json

Each is one compiled program for an update. They take turns, update by update, so that other load of the
machine cancels out. This needs the published package (the extra `oracle`).
"""

import json
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import jax
import jax.numpy as jnp
import numpy as np

from openworld.system import provenance
from openworld.system.files import STUDY, check_output, replacing
from openworld.system.option_help import Alias
from openworld_trainers.ppo.batched_env import make_env
from openworld_trainers.ppo.config import Advantage, Config, Env, Learning, Network, Rollout, to_dict
from openworld_trainers.ppo.learner import init_learner, make_update
from openworld_trainers.studies.published import Published, PublishedLoop

#: state -> (state, [number of finished episodes, sum of their returns])
Update = Callable[[Any], tuple[Any, Any]]


@dataclass(frozen=True, kw_only=True)
class Beside:
    """Compare our trainer with a PPO loop around the published package.

    Attributes:
        updates: updates of each, after the first one, which compiles.
        depth: hidden layers of our network; its width is the published one, as are worlds, steps and
            minibatches.
        embedding: numbers for a tile, in our network.
        learning_rate: learning rate of our trainer.
        seed: seed of both.
        out: the file of the numbers; None: no file.
    """

    updates: int = 8
    depth: int = 1
    embedding: int = 2
    learning_rate: float = 3e-4
    seed: int = 0
    out: Annotated[Path | None, Alias("--json")] = None


def main(settings: Beside) -> dict[str, Any]:
    """Run both, print as they go, and return the numbers.

    Example:
        >>> main(Beside(updates=2))  # doctest: +SKIP
    """
    check_output(settings.out, STUDY, force=True)
    peer = Published()
    config = Config(
        env=Env(id="OpenWorld-Classic-v0"),
        network=Network(
            width=peer.width, depth=settings.depth, embedding=settings.embedding, learn_embedding=False
        ),
        rollout=Rollout(worlds=peer.worlds, steps=peer.steps),
        advantage=Advantage(gamma=peer.gamma, gae_lambda=peer.gae_lambda),
        learning=Learning(
            minibatch_size=peer.batch // peer.minibatches,
            epochs=peer.epochs,
            learning_rate=settings.learning_rate,
        ),
    )
    ours, theirs = Runner(*_ours(config, settings.seed)), Runner(*_theirs(peer, settings.seed))
    for update in range(settings.updates):
        mine, other = ours.run(), theirs.run()
        print(
            f"{(update + 2) * peer.batch:>10,} transitions: ours {peer.batch / mine:>9,.0f} / s, return "
            f"{ours.returns[-1]:5.2f}; theirs {peer.batch / other:>7,.0f}, {theirs.returns[-1]:5.2f}; "
            f"{other / mine:.1f} times",
            flush=True,
        )
    ratios = [other / mine for mine, other in zip(ours.seconds, theirs.seconds, strict=True)]
    result = {
        "command": f"python -m openworld_trainers.studies.beside --updates {settings.updates}",
        **provenance.facts(),
        "settings": {"ours": to_dict(config), "theirs": vars(peer)},
        "transitions": (settings.updates + 1) * peer.batch,
        "transitions_per_second": peer.batch / statistics.median(ours.seconds),
        "their_transitions_per_second": peer.batch / statistics.median(theirs.seconds),
        "ratio": statistics.median(ratios),
        "lowest": min(ratios),
        "highest": max(ratios),
        "returns": ours.returns,
        "their_returns": theirs.returns,
    }
    if settings.out is not None:
        with replacing(settings.out) as aside:
            aside.write_text(json.dumps(result, indent=1) + "\n")
    print(f"{result['ratio']:.1f} times ({result['lowest']:.1f} to {result['highest']:.1f})")
    return result


class Runner:
    """A compiled update with its state, and the seconds and returns so far."""

    def __init__(self, carry: Any, update: Update) -> None:
        self._carry, self._update = carry, jax.jit(update, donate_argnums=0)
        self.returns: list[float] = []
        self.seconds: list[float] = []
        self.run()  # compiles
        self.seconds.clear()

    def run(self) -> float:
        """Update once; return the seconds it took."""
        before = time.perf_counter()
        self._carry, sums = self._update(self._carry)
        episodes, total = np.asarray(sums)
        self.seconds.append(time.perf_counter() - before)
        self.returns.append(float(total / max(episodes, 1)))
        return self.seconds[-1]


def _ours(config: Config, seed: int) -> tuple[Any, Update]:
    env = make_env(config.env)
    our_update = make_update(env, config)
    rate = jnp.float32(config.learning.learning_rate)

    def update(learner: Any) -> tuple[Any, Any]:
        learner, metrics = our_update(learner, rate)
        return learner, jnp.stack([metrics.episode_sums.episodes, metrics.episode_sums.returns])

    return jax.jit(lambda key: init_learner(env, config, key=key))(jax.random.key(seed)), update


def _theirs(settings: Published, seed: int) -> tuple[Any, Update]:
    loop = PublishedLoop(settings)
    return jax.jit(loop.begin)(jax.random.key(seed)), loop.update


if __name__ == "__main__":
    import tyro

    from openworld.system import numbers

    main(tyro.cli(Beside, registry=numbers.registry()))
