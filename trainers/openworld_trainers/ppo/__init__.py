"""Proximal policy optimisation (PPO): collect a rollout, estimate advantages, improve the policy, repeat.

Read `rollout`, `advantages`, `losses`, `update` and `learner`, in this order.
"""

from openworld_trainers.errors import require

require("train", "optax", "orbax.checkpoint", "rich", purpose="training")
