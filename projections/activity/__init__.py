"""The read model of everything that happened, in the log's order: live notices, history, audit."""
