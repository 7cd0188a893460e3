"""The read model of issued API keys: found by prefix, each with what it may do."""
