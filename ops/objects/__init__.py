"""Looking after the objects in the store."""
