"""Housekeeping: what has to be done now and then, by one process at a time."""
