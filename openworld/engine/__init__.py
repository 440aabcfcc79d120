"""The engine around the rules: one step of a world, the step of a batch, compiled functions, devices."""
