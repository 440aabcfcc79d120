"""The questions to a lent accelerator, in legs: `.ci/gpu LEG...` on a machine with little more than JAX."""
