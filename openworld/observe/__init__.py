"""Observations: tokens, and all forms that are decoded from tokens."""
