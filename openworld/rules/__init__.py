"""One system a file; `order.py` lists the order of play."""
