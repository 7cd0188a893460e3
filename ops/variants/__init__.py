"""Looking after variants: whether what stands in the store is what its presets make."""
