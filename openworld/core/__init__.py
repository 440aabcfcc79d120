"""The base of all rules: the state of a world, random numbers, idioms for XLA, numbers for each kind of device."""
