"""The folded state of each preset set and run: where every batch takes up the fold."""
