"""The variants processor: one original in, every size of a preset set out."""
