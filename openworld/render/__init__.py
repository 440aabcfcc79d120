"""Pictures, text and video for people, made on the host from tokens alone."""

#: Screen pixels for each pixel of a tile, at most: one frame then takes 100 MB, which grows with its square.
MAX_SCALE = 32
