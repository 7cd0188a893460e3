"""The read model of sessions: which go on, and why others ended."""
