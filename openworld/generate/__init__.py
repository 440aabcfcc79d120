"""Seeds become maps: integer noise, floors, new worlds."""
