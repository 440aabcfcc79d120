"""The roofline of a step: the least bytes and operations, and the limits of machines."""
