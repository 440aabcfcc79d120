"""What metrics mean: curves, trends, advice, and the report page of a run."""
