"""Faces for other frameworks; each imports its framework, and none is imported unless asked for."""
