"""The sizes of each id; nothing is compiled for them."""

import jax

from openworld import registry
from openworld.observe.layout import MOST_PLAYERS
from openworld.storage import replay
from openworld.system.columns import aligned


def of(id: str) -> dict[str, str]:
    """Return the sizes of an id, name -> text."""
    env = registry.make(id, observation="tokens")
    symbolic, pixels = (registry.make(id, observation=form, num_agents=1) for form in ("symbolic", "pixels"))
    rules = env.ruleset
    state = env.state_shape(1)
    state_bytes = sum(leaf.size * leaf.dtype.itemsize for leaf in jax.tree.leaves(state))
    return {
        "id": id,
        "rules": replay.rules_of(id),
        "floors": f"{len(rules.floors)}{' and on' * (not rules.ends_at_boss)}",
        "tiles of a floor": f"{rules.rows} x {rules.cols}",
        "tiles in view": f"{rules.view_rows} x {rules.view_cols}",
        "actions": f"{env.num_actions}",
        "achievements": f"{rules.achievements}",
        "steps at most": f"{env.time_limit:,}",
        "players": f"{env.num_agents}" if env.num_agents == 1 else f"1 to {MOST_PLAYERS}",
        "tokens (uint8)": f"{env.layout.size:,}",
        "symbolic (float32)": f"{symbolic.observation_shape[0]:,}",
        "pixels (uint8)": " x ".join(map(str, pixels.observation_shape)),
        "bytes of a world": f"{state_bytes:,}",
    }


def table(ids: list[str]) -> str:
    """Return a table of the sizes of some ids; a line names those that differ only in observation."""
    plain = {registry.listed(id).rules: id for id in reversed(ids) if registry.listed(id).observation is None}
    seen = {
        id: row.observation for id in ids if (row := registry.listed(id)).rules in plain and row.observation
    }
    each = [of(id) for id in ids if id not in seen]
    rows = [[name, *(s[name] for s in each)] for name in each[0]]
    same = [f"{id} is {plain[registry.listed(id).rules]} seen as {form}" for id, form in seen.items()]
    return "\n".join(aligned(rows, left=1) + same)
