"""The read model of jobs: what was asked for, how it went, what it cost."""
