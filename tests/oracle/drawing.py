"""How hypothesis draws scenes: a seed and a few knobs, each example a whole batch of worlds."""

from collections.abc import Callable
from typing import Any

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.oracle import driver, scenes

#: Smaller seeds make no simpler scenes, so failures are not shrunk; the message names the worlds that differ.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


def batches(examples: int, **knobs: st.SearchStrategy[Any]) -> Callable[..., Any]:
    """A test of (state, rng): scrambled batches of `driver.WORLDS` worlds, `examples` of them."""
    knobs = {
        "crowd": st.sampled_from([0.3, 0.9]),
        "reach": st.sampled_from([2, 5, 15]),
        "wild": st.sampled_from([0.1, 0.4, 0.8]),
        **knobs,
    }

    def decorate(test: Callable[[Any, np.random.Generator], None]) -> Any:
        def drawn(seed: int, **chosen: Any) -> None:
            rng = np.random.default_rng(seed)
            test(scenes.scramble(driver.blank(), rng, **chosen), rng)

        drawn.__name__, drawn.__doc__ = test.__name__, test.__doc__
        example = given(seed=st.integers(0, 2**32 - 1), **knobs)(drawn)
        return settings(max_examples=examples, phases=PHASES, suppress_health_check=list(HealthCheck))(
            example
        )

    return decorate


#: Nobody else about.
QUIET = {"crowd": st.just(0.0), "reach": st.just(1)}
#: Everybody about.
CROWDED = {"crowd": st.sampled_from([0.7, 1.0]), "reach": st.sampled_from([1, 2, 4, 6, 11, 15])}
