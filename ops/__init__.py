"""Running Darkroom: everything that starts, creates, checks and looks after it."""
