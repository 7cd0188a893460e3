"""Jobs and dead letters from a shell."""
