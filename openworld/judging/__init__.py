"""Judging: play an agent by a protocol, compute its statistics, write the result, and verify results.

Modules, from the bottom up:

* `agents`: the two kinds of agents, and loading one by its name.
* `trace`, `record`, `episodes`: playing the first episode of each world and recording it.
* `acting`: one agent in one world, for those who watch.
* `intervals`, `numbers`: the statistics.
* `protocols`: the episodes to be played, under a name.
* `schema`, `result`: the file of a result.
* `judge`, `summary`: all of these in turn, and the lines that are printed.
* `peer`: an agent in the published package, beside the same agent here.
* `verify`, `leaderboard`: replaying results, and the page of those that are true.
"""
