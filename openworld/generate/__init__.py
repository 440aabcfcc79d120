"""Seeds become ground: integer noise, floors, new worlds."""
