"""Action masks from tokens."""

import jax.numpy as jnp

from openworld.content.ids import Action
from openworld.observe.layout import layout_of


def token_mask(tokens, rules):
    layout = layout_of(rules)
    asleep = (tokens[..., layout["asleep"].slice] | tokens[..., layout["resting"].slice]) > 0
    return ~asleep | (jnp.arange(rules.actions) == int(Action.NOOP))
