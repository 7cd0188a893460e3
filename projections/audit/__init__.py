"""What was done to accounts and to assets, read from the activity of both logs as one list; has no rows."""
