"""A second telling of the rules in plain Python: slow, one world at a time, no arrays and no JAX."""
