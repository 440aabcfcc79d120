"""Replays and saved states, as files and bytes, and the checks of what is read."""
