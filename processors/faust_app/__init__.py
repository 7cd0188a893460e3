"""The Faust app around the reactor, and what keeps its member of the group honest."""
