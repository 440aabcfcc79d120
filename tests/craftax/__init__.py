"""OpenWorld beside the published package it follows, which is played as a black box."""
