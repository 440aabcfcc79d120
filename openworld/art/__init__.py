"""The drawings: 16x16 pixels for every block, item, creature and projectile, painted by code."""
