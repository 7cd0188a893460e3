"""What people may ask for: one file a command, with its body, its decision and its appends."""
