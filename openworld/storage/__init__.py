"""What is kept of worlds in files: replays, saved states, and the checks of what is read."""
