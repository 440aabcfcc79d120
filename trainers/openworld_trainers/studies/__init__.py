"""Studies: scripts that put the trainer's claims to the test, and write down what came of it."""
