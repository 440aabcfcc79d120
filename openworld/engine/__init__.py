"""What drives the rules: one step of one world, the rare work of a batch, compiled functions, devices."""
