"""A model of training at scale: steps per second, hours and cost on many accelerators."""
