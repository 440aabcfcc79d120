"""Interfaces for other frameworks. Each imports its framework; none is imported until it is used."""
