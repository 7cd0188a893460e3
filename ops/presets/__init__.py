"""Preset sets from a shell: defined, planned, applied, rolled back, and retired when nobody needs them."""
