"""Event to read model: the projector's loop, its checkpoints, and one folder for each read model."""
