"""Proximal policy optimisation: collect, estimate advantages, improve the policy, repeat."""

from openworld_trainers.errors import require

require("train", "optax", "orbax.checkpoint", "rich", purpose="training")
