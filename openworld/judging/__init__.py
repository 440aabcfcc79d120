"""Judging any agent by a named protocol: play, sum up, keep the result, and check a result by playing it again.

The parts, each importable alone: `protocols` (what is played), `agents` (who plays), `play` (the playing),
`numbers` (what it adds up to), `result` (the file), `judge` (all of these in turn), `verify`, `leaderboard`.
"""
