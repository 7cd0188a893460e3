"""The read model of runs: what is done to many assets at once, and how it stands."""
