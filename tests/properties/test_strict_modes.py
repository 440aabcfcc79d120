"""JAX's stricter modes change nothing: 64 bits, no rank promotion, NaNs as errors, no leaked tracers."""

import jax
import jax.numpy as jnp
import pytest

import openworld


def kinds(tree):
    """Shape, dtype and weakness of each leaf, by its name."""
    leaves = jax.tree_util.tree_leaves_with_path(tree)
    return {jax.tree_util.keystr(path): (leaf.shape, leaf.dtype, leaf.weak_type) for path, leaf in leaves}


def traced(world):
    """What every function of two worlds gives, as kinds."""
    obs, state = jax.eval_shape(world.reset_seeds, jax.ShapeDtypeStruct((2, 2), jnp.uint32))
    players = () if world.num_agents == 1 else (world.num_agents,)
    action = jax.ShapeDtypeStruct((2, *players), jnp.int32)
    found = {
        "reset": (obs, state),
        "step": jax.eval_shape(world.step, state, action),
        "advance": jax.eval_shape(world.advance, state, action),
        "renew": jax.eval_shape(world.renew, obs, state, jax.ShapeDtypeStruct((2,), bool)),
        "action_mask": jax.eval_shape(world.action_mask, state),
        "fallen": jax.eval_shape(world.fallen, state),
    }
    return kinds(found)


@pytest.mark.parametrize(
    ("id", "settings"),
    [
        ("OpenWorld-Classic-v0", {}),
        pytest.param("OpenWorld-v0", {"observation": "symbolic"}, marks=pytest.mark.slow),
        pytest.param("OpenWorld-Endless-v0", {}, marks=pytest.mark.slow),
        pytest.param("OpenWorld-Coop-v0", {"sharing": 0.5, "observation": "pixels"}, marks=pytest.mark.slow),
    ],
)
def test_no_dtype_depends_on_the_64_bit_mode(id, settings):
    world = openworld.make(id, **settings)
    with jax.enable_x64(False):
        narrow = traced(world)
    with jax.enable_x64(True):
        wide = traced(openworld.make(id, **settings))
    assert wide == narrow
    assert not [name for name, (_, dtype, _) in narrow.items() if dtype.itemsize > 4]


def test_a_state_goes_on_as_the_kind_it_was():
    """A weak type, or another dtype, would compile the step anew or break a scan."""
    with jax.enable_x64(True):
        found = traced(openworld.make("OpenWorld-Classic-v0"))
    before = {name.removeprefix("['reset'][1]"): kind for name, kind in found.items() if "reset'][1]" in name}
    after = {name.removeprefix("['step'][1]"): kind for name, kind in found.items() if "step'][1]" in name}
    assert len(before) > 30
    assert after == before
