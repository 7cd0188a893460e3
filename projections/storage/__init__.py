"""What lies in the store by what the log says: files and bytes of each owner."""
