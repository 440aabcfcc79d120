"""How Gymnasium comes to know the ids: a wheel puts a copy of `_openworld_gymnasium.py` beside a `.pth` file."""
