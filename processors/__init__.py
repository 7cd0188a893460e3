"""Event to work to event: the programs that render variants, and what they are made of."""
