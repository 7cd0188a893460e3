"""The read model of preset sets: which are defined, which is active, and since when."""
