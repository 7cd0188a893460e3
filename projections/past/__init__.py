"""What was, as of an instant or a position: the feed says which records to read, the log has them."""
