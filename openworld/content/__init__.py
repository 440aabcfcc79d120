"""The nouns of the world as typed rows; nothing here imports JAX."""
