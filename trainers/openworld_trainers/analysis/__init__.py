"""Analysis of metrics: curves, trends, advice, and the report page of a run."""
