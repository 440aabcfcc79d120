"""One training run: its folder, its checkpoints, its metrics and what is made of it."""
