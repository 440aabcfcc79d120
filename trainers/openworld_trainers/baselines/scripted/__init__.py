"""Agents without learning: scripted play and random play."""
