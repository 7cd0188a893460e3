"""`python -m processors variants`: the worker as a process, from its settings to its end."""
