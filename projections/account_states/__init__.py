"""The folded state of each account: where every batch takes up the fold, and nothing that a door shows."""
