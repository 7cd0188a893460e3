"""The live streams: what happens to a person's assets, as it happens."""
