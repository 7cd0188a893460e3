"""Erasing people: what follows when a person asked to be forgotten, until nothing readable is left."""
