"""The contract: every event that the log can hold, how it is written and read, and where it lives."""
