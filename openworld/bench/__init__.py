"""Benchmarks: speed, compile time and memory on this machine (`openworld bench`)."""
