"""What every rule stands on: the state of a world, its randomness, and the compiler's idioms."""
