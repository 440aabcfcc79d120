"""A model of training at scale: steps per second, hours and cost on 1, 8 and 1024 accelerators.

Nothing here is measured. A transition costs each accelerator, in turn,

    play      1 / w                                   a step of a world
    policy    roofline(2 W, 2 A b) / u                a pass forward
    learning  epochs x roofline(6 W, 5 A b) / u       a pass forward, and twice that back
    wait      epochs x n / m x (latency + 2 (n - 1) / n x 4 P / link)

with roofline(F, B) = max(F / flops, B / bandwidth). W are the weights of dense layers, 2 operations each. A
are the activations, of b bytes each: written and read in the forward pass; in the backward pass read again,
and their gradient written and read. The wait is a ring all-reduce of the gradient, P parameters of 4 bytes,
for each minibatch of m transitions from all n accelerators (Patarasuk and Yuan 2009, "Bandwidth optimal
all-reduce algorithms for clusters of workstations"). u is the share of the roofline that is reached. W, A and
P are counted in the trainer's own network.

`python -m openworld_trainers.studies.scale` prints the tables.
"""

import math
from dataclasses import dataclass
from typing import Any

import equinox as eqx
import jax
import jax.numpy as jnp

from openworld import registry
from openworld.bench import markdown
from openworld_trainers.ppo.networks import make_network
from openworld_trainers.ppo.presets import preset

#: The environment and the preset whose network is counted.
ID, PRESET = "OpenWorld-v0", "standard"
#: Transitions of a run.
TRANSITIONS = 1e12
#: Numbers of accelerators.
SIZES = (1, 8, 1024)
PARTS = ("play, ns", "policy, ns", "learning, ns", "wait, ns")


@dataclass(frozen=True, kw_only=True)
class Accelerator:
    """An accelerator; the defaults are assumptions for one of the H100's class.

    Attributes:
        worlds: environment steps per second, w.
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
    """The network between accelerators.

    Attributes:
        node: accelerators in a node; a ring over several nodes is as fast as its slowest link.
        inside: bytes per second that each accelerator sends within a node.
        between: bytes per second that each accelerator sends between nodes.
        latency_inside: seconds until an all-reduce within a node begins.
        latency_between: seconds until an all-reduce over several nodes begins.

    Example:
        >>> Links().all_reduce(size=0, accelerators=8)
        2e-05
    """

    node: int = 8
    inside: float = 450e9
    between: float = 50e9
    latency_inside: float = 20e-6
    latency_between: float = 40e-6

    def all_reduce(self, size: int, accelerators: int) -> float:
        """Return the seconds of an all-reduce of `size` bytes."""
        if accelerators == 1:
            return 0.0
        within = accelerators <= self.node
        link, latency = (self.inside, self.latency_inside) if within else (self.between, self.latency_between)
        return latency + 2 * (accelerators - 1) / accelerators * size / link


@dataclass(frozen=True, kw_only=True)
class Network:
    """The sizes of a policy network.

    Attributes:
        weights: of dense layers.
        parameters: all of them.
        activations: of a transition.
        width: bytes of an activation (2: bfloat16).
    """

    weights: int
    parameters: int
    activations: int
    width: int = 2


@dataclass(frozen=True, kw_only=True)
class Learning:
    """The epochs of an update, and the transitions of a minibatch."""

    epochs: int | float
    minibatch: int


@dataclass(frozen=True, kw_only=True)
class Costs:
    """Seconds of one accelerator for each transition, by part."""

    play: float
    policy: float
    learning: float
    wait: float

    @property
    def in_all(self) -> float:
        """The sum of the parts, which run one after the other."""
        return self.play + self.policy + self.learning + self.wait


def network(id: str = ID) -> Network:
    """Count the sizes of the preset's network for an environment."""
    settings = preset(PRESET).network
    shapes: Any = eqx.filter_eval_shape(make_network, registry.make(id), settings, jax.random.key(0))
    dense = [layer.weight.shape for layer in (*shapes.trunk, shapes.actor, shapes.critic)]
    learned = [leaf for leaf in jax.tree.leaves(shapes) if jnp.issubdtype(leaf.dtype, jnp.inexact)]
    return Network(
        weights=sum(map(math.prod, dense)),
        parameters=sum(leaf.size for leaf in learned),
        activations=shapes.encoder.features + sum(outputs for _, outputs in dense),
    )


def learning(accelerators: int = 1) -> Learning:
    """Return the preset's settings, with a whole minibatch for each accelerator."""
    settings = preset(PRESET).learning
    return Learning(epochs=settings.epochs, minibatch=settings.minibatch_size * accelerators)


def costs(
    accelerators: int,
    net: Network,
    rule: Learning,
    device: Accelerator | None = None,
    links: Links | None = None,
) -> Costs:
    """Return the costs of a transition on each accelerator; the docstring of this module has the formulae."""
    device, links = device or Accelerator(), links or Links()

    def roofline(operations: int, moved: int) -> float:
        return max(operations / device.flops, moved / device.bandwidth) / device.reached

    size = net.activations * net.width
    # Each accelerator gives 1/n of a minibatch and waits once for it: n/m of a wait for each of its
    # transitions.
    wait = links.all_reduce(4 * net.parameters, accelerators) * accelerators / rule.minibatch
    return Costs(
        play=1 / device.worlds,
        policy=roofline(2 * net.weights, 2 * size),
        learning=rule.epochs * roofline(6 * net.weights, 5 * size),
        wait=rule.epochs * wait,
    )


def rows(device: Accelerator | None = None, transitions: float = TRANSITIONS) -> list[list[str]]:
    """Return the rows: for each number of accelerators, a minibatch shared by all and one for each."""
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
    return markdown.table(head, rows(device, transitions))


def counts(id: str = ID) -> str:
    """Return the table of the sizes that are counted in the trainer, in Markdown."""
    net, rule = network(id), learning()
    sizes = {
        "weights of dense layers, W": net.weights,
        "parameters, P": net.parameters,
        "activations of a transition, A": net.activations,
        "transitions of a minibatch, m": rule.minibatch,
        "epochs": rule.epochs,
    }
    head = ["counted in the trainer", f"`{id}`, `{PRESET}`"]
    return markdown.table(head, [[name, f"{size:,}"] for name, size in sizes.items()])
