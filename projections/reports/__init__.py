"""What each loop of each projector says of itself, for operators."""
