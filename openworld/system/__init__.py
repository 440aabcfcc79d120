"""Files, caches, processes and text from elsewhere: everything that is not about the game."""
