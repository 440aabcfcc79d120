"""The forms in which a player's perception is shown, all decoded from tokens: rows of a table."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from jaxtyping import Array

from openworld.content.rulesets import Ruleset
from openworld.observe.layout import layout_of
from openworld.observe.pixels.frames import pixels, pixels_shape
from openworld.observe.symbolic import symbolic, symbolic_size


@dataclass(frozen=True)
class Form:
    """One form of observation.

    Attributes:
        shape: of one player's, by the rules.
        decode: uint8[..., tokens] and the rules to [..., *shape]; jittable.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> FORMS["pixels"].shape(FULL)
        (130, 110, 3)
    """

    dtype: np.dtype
    shape: Callable[[Ruleset], tuple[int, ...]]
    decode: Callable[[Array, Ruleset], Array]


#: Name -> form. To add a form, add a row.
FORMS: dict[str, Form] = {
    "tokens": Form(np.dtype(np.uint8), lambda rules: (layout_of(rules).size,), lambda tokens, _: tokens),
    "symbolic": Form(np.dtype(np.float32), lambda rules: (symbolic_size(rules),), symbolic),
    "pixels": Form(np.dtype(np.uint8), pixels_shape, pixels),
}
OBSERVATIONS = tuple(FORMS)


def decoder(rules: Ruleset, observation: str) -> Callable[[Array], Array]:
    """Return what turns tokens to a form; jittable.

    Example:
        >>> from openworld.content.rulesets import FULL
        >>> tokens = np.zeros((2, layout_of(FULL).size), np.uint8)
        >>> decoder(FULL, "tokens")(tokens) is tokens
        True
    """
    return lambda tokens: FORMS[observation].decode(tokens, rules)
