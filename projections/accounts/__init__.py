"""The read model of accounts that somebody has: whose an address is, and what opens it."""
