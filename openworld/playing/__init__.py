"""Playing by hand: the game without a screen (session), its keys, and two screens (window, terminal)."""
