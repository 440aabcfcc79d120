"""Judging in another package: the published one, unmodified, in which no agent here was trained.

* `game`: its games behind the functions that the judge plays.
* `comparison`: an agent there and here, and the differences.
"""
