"""The worlds whose trajectories are compared: the last of each power of two, where indices run over first."""

#: How many below each power of two.
LAST = 12
#: Numbers of worlds in a batch of up to 2**21.
SAMPLE = tuple(sorted({2**power - 1 - back for power in range(22) for back in range(min(LAST, 2**power))}))
