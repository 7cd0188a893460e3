"""People's data keys as operators look after them: wrapped anew, compacted, and proved to be gone."""
