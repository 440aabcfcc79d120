"""Training at scale, on paper: steps per second, hours and cost on 1, 8 and 1024 accelerators.

A model, not a measurement. A transition costs each accelerator, in turn,

    play      1 / w                                   a step of a world
    policy    roofline(2 W, 2 A b) / u                a pass forward
    learning  epochs x roofline(6 W, 5 A b) / u       a pass forward, and twice that back
    wait      epochs x n / m x (latency + 2 (n - 1) / n x 4 P / link)

with roofline(F, B) = max(F / flops, B / bandwidth). W are the weights of dense layers, 2 operations each. A are the
activations, of b bytes: written and read going forward, read again going back, where their gradient is written and
read. The wait is a ring all-reduce of the gradient, P parameters of 4 bytes, for each minibatch of m transitions
from all n accelerators (Patarasuk and Yuan 2009, "Bandwidth optimal all-reduce algorithms for clusters of
workstations"). u is the share of the roofline that is reached. W, A and P are counted in the trainer's own network.

`python -m openworld.bench.scale` prints the table; `--simulate` counts what compiled programs send between devices.
"""

import argparse
import importlib
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from openworld.bench import pages

#: The network that is counted.
ID, PRESET = "OpenWorld-v0", "standard"
#: What a run is to reach.
TRANSITIONS = 1e12
SIZES = (1, 8, 1024)
#: Devices that are simulated.
DEVICES = 8
PARTS = ("play, ns", "policy, ns", "learning, ns", "wait, ns")


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """One accelerator; the defaults are assumptions about one of the H100's class.

    Attributes:
        worlds: steps of worlds per second, w.
        flops: multiplications and additions per second of its matrix units, in bfloat16.
        bandwidth: bytes per second of its memory.
        reached: share of the roofline that the network reaches, u.
        price: dollars an hour.
    """

    worlds: float = 2e7
    flops: float = 990e12
    bandwidth: float = 3.0e12
    reached: float = 0.5
    price: float = 2.5


@dataclass(frozen=True, kw_only=True)
class Links:
    """How accelerators are joined: bytes per second each can send, and seconds that an all-reduce takes to begin.

    Attributes:
        node: accelerators in a node; a ring that leaves the node is as fast as its slowest link.
    """

    node: int = 8
    inside: float = 450e9
    between: float = 50e9
    latency_inside: float = 20e-6
    latency_between: float = 40e-6

    def all_reduce(self, size: int, accelerators: int) -> float:
        """Return the seconds that an all-reduce of so many bytes takes."""
        if accelerators == 1:
            return 0.0
        within = accelerators <= self.node
        link, latency = (self.inside, self.latency_inside) if within else (self.between, self.latency_between)
        return latency + 2 * (accelerators - 1) / accelerators * size / link


@dataclass(frozen=True, kw_only=True)
class Network:
    """What a pass of the network costs: weights of dense layers, all parameters, activations of a transition."""

    weights: int
    parameters: int
    activations: int
    width: int = 2  # bytes of an activation: bfloat16


@dataclass(frozen=True, kw_only=True)
class Learning:
    """How often a transition is learned from, and how many share a gradient step."""

    epochs: int
    minibatch: int


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds that each transition takes of one accelerator."""

    play: float
    policy: float
    learning: float
    wait: float

    @property
    def in_all(self) -> float:
        """The sum of the parts: they take turns."""
        return self.play + self.policy + self.learning + self.wait


def _settings() -> Any:
    return importlib.import_module("openworld_trainers.ppo.config").preset(PRESET)


def network(id: str = ID) -> Network:
    """Count the standard preset's network for a world."""
    import equinox as eqx
    import jax
    import jax.numpy as jnp

    from openworld import registry

    made = importlib.import_module("openworld_trainers.ppo.networks").make_network
    shapes: Any = eqx.filter_eval_shape(made, registry.make(id), _settings().network, jax.random.key(0))
    dense = [layer.weight.shape for layer in (*shapes.trunk, shapes.actor, shapes.critic)]
    learned = [leaf for leaf in jax.tree.leaves(shapes) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return Network(
        weights=sum(map(math.prod, dense)),
        parameters=sum(leaf.size for leaf in learned),
        activations=shapes.encoder.features + sum(outputs for _, outputs in dense),
    )


def learning(accelerators: int = 1) -> Learning:
    """Return the standard preset's settings, with a whole minibatch for each of so many accelerators."""
    settings = _settings().learning
    return Learning(epochs=settings.epochs, minibatch=settings.minibatch_size * accelerators)


def costs(
    accelerators: int,
    net: Network,
    rule: Learning,
    device: Accelerator | None = None,
    links: Links | None = None,
) -> Costs:
    """Return what a transition costs on each of some accelerators (the formulae are at the top)."""
    device, links = device or Accelerator(), links or Links()

    def roofline(operations: int, moved: int) -> float:
        return max(operations / device.flops, moved / device.bandwidth) / device.reached

    size = net.activations * net.width
    # Each accelerator gives 1/n of a minibatch, and waits once for it: n/m of a wait for each transition it gives.
    wait = links.all_reduce(4 * net.parameters, accelerators) * accelerators / rule.minibatch
    return Costs(
        play=1 / device.worlds,
        policy=roofline(2 * net.weights, 2 * size),
        learning=rule.epochs * roofline(6 * net.weights, 5 * size),
        wait=rule.epochs * wait,
    )


def rows(device: Accelerator | None = None, transitions: float = TRANSITIONS) -> list[list[str]]:
    """Return the lines of the table: both ways to share the minibatches, for each number of accelerators."""
    device, net, lines = device or Accelerator(), network(), []
    for accelerators in SIZES:
        for rule in dict.fromkeys((learning(), learning(accelerators))):
            cost = costs(accelerators, net, rule, device)
            speed = accelerators / cost.in_all
            hours = transitions / speed / 3600
            lines.append(
                [
                    f"{accelerators:,}",
                    f"{rule.minibatch:,}",
                    *(f"{1e9 * part:,.0f}" for part in (cost.play, cost.policy, cost.learning, cost.wait)),
                    f"{speed / 1e6:,.1f}",
                    f"{hours:,.2f}",
                    f"${hours * accelerators * device.price:,.0f}",
                ]
            )
    return lines


def table(device: Accelerator | None = None, transitions: float = TRANSITIONS) -> str:
    """Return the table in Markdown."""
    head = ["accelerators", "minibatch", *PARTS, "million steps/s", "hours", "cost"]
    return pages.table(head, rows(device, transitions))


def counts(id: str = ID) -> str:
    """Return what is counted in the trainer, in Markdown."""
    net, rule = network(id), learning()
    told = {
        "weights of dense layers, W": net.weights,
        "parameters, P": net.parameters,
        "activations of a transition, A": net.activations,
        "transitions of a minibatch, m": rule.minibatch,
        "epochs": rule.epochs,
    }
    head = ["counted in the trainer", f"`{id}`, `{PRESET}`"]
    return pages.table(head, [[name, f"{size:,}"] for name, size in told.items()])


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        prog="python -m openworld.bench.scale", description="Training at scale, on paper."
    )
    add = parser.add_argument
    add(
        "--worlds", type=float, default=Accelerator.worlds, help="steps of worlds a second on one accelerator"
    )
    add("--price", type=float, default=Accelerator.price, help="dollars an accelerator hour")
    add("--transitions", type=float, default=TRANSITIONS, help="what the run is to reach")
    add(
        "--simulate",
        nargs="*",
        metavar="ID",
        help=f"count what {DEVICES} simulated devices send to each other",
    )
    add("--update", type=Path, metavar="PAGE", help="write the tables into a page as well")
    options = parser.parse_args(arguments)
    if options.simulate is not None:
        # Before JAX looks for its devices.
        flag = f"--xla_force_host_platform_device_count={DEVICES}"
        os.environ["XLA_FLAGS"] = f"{os.environ.get('XLA_FLAGS', '')} {flag}".strip()
    try:
        device = Accelerator(worlds=options.worlds, price=options.price)
        tables = {"counts": counts(), "scale": table(device, options.transitions)}
        if options.update:
            pages.update(options.update, tables)
        print("\n\n".join(tables.values()), flush=True)
        if options.simulate is not None:
            from openworld.bench import sharded

            print("\n" + sharded.report(options.simulate))
    except ImportError as error:
        print(f"scale: needs {error.name}, which is not installed", file=sys.stderr)
        return 2
    except (ValueError, OSError) as error:
        print(f"scale: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
