"""Kinds of observation: those that tokens are decoded to on the device, and text, made on the host."""

from typing import Any

import numpy as np

from openworld.adapters.gymnasium import refusals
from openworld.content.rulesets import Ruleset
from openworld.observe.forms import OBSERVATIONS as ON_DEVICE
from openworld.observe.text import text
from openworld.registry import listed

TEXT = "text"
OBSERVATIONS = (*ON_DEVICE, TEXT)


def chosen(id: str, observation: str | None, known: tuple[str, ...] = OBSERVATIONS) -> str:
    """Return which of the known forms is meant: None takes the id's own, "symbolic" where it has none."""
    row = listed(id)
    if row.num_agents > 1:
        raise ValueError(
            f"{id} is for several players and Gymnasium's environments have one: "
            f"use openworld.adapters.pettingzoo.parallel_env() or openworld.make({id!r})"
        )
    form = row.observation or "symbolic" if observation is None else observation
    refusals.one_of("observation", form, known)
    return form


def fetched_form(observation: str) -> str:
    """Return the form that the device makes: of words, the tokens."""
    return "tokens" if observation == TEXT else observation


def fetched(obs: Any, observation: str, rules: Ruleset) -> Any:
    """Return a copy of a batch of observations on the host: an array, or a tuple of texts."""
    if observation != TEXT:
        return np.array(obs)
    return tuple(text(row, rules) for row in np.asarray(obs))
