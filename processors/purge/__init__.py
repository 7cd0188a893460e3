"""Purging: what belongs to an asset that is gone for good is removed from the store."""
