"""Achievements, reward and endings, read from what happened in a step."""
