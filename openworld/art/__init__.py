"""The drawings: 16x16 pixels for every block, item, creature and missile, painted by code, and its tools."""
