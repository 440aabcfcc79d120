"""Proximal policy optimisation (PPO): collect a rollout, estimate advantages, improve the policy, repeat.

Read `rollout`, `advantages`, `losses`, `update` and `learner`, in this order. Only learning needs Optax; a network
is made and played without it.
"""
