"""Playing by hand: the game without a face (session), its keys, and two faces (window, terminal)."""
