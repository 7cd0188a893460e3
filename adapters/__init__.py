"""The outside world: for each system a Protocol, its implementation and an in-memory twin."""
