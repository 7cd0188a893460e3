"""Runs: work asked for on many assets at once, a bounded piece at a time."""
