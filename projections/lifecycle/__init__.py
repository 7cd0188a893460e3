"""The folded state of each asset: where every batch takes up the fold, and nothing that a door shows."""
