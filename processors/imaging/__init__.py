"""Image work as a pure function: bytes in, variants and facts out, nothing of ours imported."""
