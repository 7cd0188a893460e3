"""Image work: what is accepted, what comes out, and what is refused."""
