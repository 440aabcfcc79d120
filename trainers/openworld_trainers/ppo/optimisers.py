"""Optimisers: from a gradient to a direction, which `run_epochs` multiplies by the learning rate.

Adam takes all parameters. Muon takes the matrices of the layers (`matrices`): its direction is the momentum
with all singular values near 1, found by Newton-Schulz iterations (Jordan 2024). Beside Muon, Adam takes the
rest.

Newton-Schulz takes the same time for a small minibatch as for a large one, so Muon is for minibatches of
thousands of transitions.
"""

import math
from typing import Any

import equinox as eqx
import jax
import optax
from optax.contrib import MuonDimensionNumbers, scale_by_muon

from openworld_trainers.ppo.config import Learning
from openworld_trainers.ppo.networks import ActorCritic

#: The root mean square of Muon's direction, whatever the shape of the matrix. Adam's is near it, so one
#: learning rate serves both (Liu et al. 2025, arXiv 2502.16982, section 2.2).
MUON_RMS = 0.2
#: The parts of a network whose matrices are not for Muon: what comes out of them has a scale of its own.
HEADS = ("actor", "critic", "change")


def make_optimiser(settings: Learning) -> optax.GradientTransformation:
    """Return the optimiser on gradients of bounded global norm.

    The learning rate is applied outside: new weight = weight - learning rate x direction. Weight decay is a
    part of the direction of the matrices, weight_decay x weight, and not of the gradient.
    """
    adam = optax.scale_by_adam(b1=0.9, b2=0.999, eps=1e-5)
    steps = [optax.clip_by_global_norm(settings.max_gradient_norm), adam]
    if settings.optimiser == "muon":
        orthogonal = scale_by_muon(beta=settings.momentum, weight_dimension_numbers=_all_matrices)
        muon = optax.chain(orthogonal, optax.stateless(_to_one_size))
        steps[1] = optax.partition({True: muon, False: adam}, matrices)
    if settings.weight_decay:
        steps.append(optax.add_decayed_weights(settings.weight_decay, matrices))
    return optax.chain(*steps)


def direct(
    settings: Learning, gradient: ActorCritic, opt_state: Any, network: ActorCritic
) -> tuple[Any, Any]:
    """Return the direction and the optimiser's state after a gradient at a network."""
    tree: Any = gradient
    weights: Any = network
    with jax.numpy_dtype_promotion("standard"):  # Optax mixes its dtypes
        return make_optimiser(settings).update(tree, opt_state, weights)


def matrices(network: ActorCritic) -> Any:
    """Return a tree with True at the matrices of the layers: hidden, memory, and those of an encoder.

    It is False at biases, at the tables of embeddings and at the weights of the heads. So embeddings that are
    not learned are never changed.
    """

    def is_matrix(path: tuple[Any, ...], leaf: Any) -> bool:
        names = [part.name for part in path if isinstance(part, jax.tree_util.GetAttrKey)]
        return eqx.is_array_like(leaf) and leaf.ndim == 2 and _named(names)

    return jax.tree_util.tree_map_with_path(is_matrix, network)


def _named(names: list[str]) -> bool:
    return names[-1].endswith("weight") and names[0] not in HEADS


def _all_matrices(weights: Any) -> Any:
    return jax.tree.map(lambda _: MuonDimensionNumbers(), weights)


def _to_one_size(updates: Any, params: Any = None) -> Any:
    """Return orthogonal matrices scaled to a root mean square of `MUON_RMS`.

    An orthogonal a x b matrix has min(a, b) singular values of 1, so its root mean square is 1 / √max(a, b).
    """
    return jax.tree.map(lambda matrix: matrix * (MUON_RMS * math.sqrt(max(matrix.shape))), updates)
