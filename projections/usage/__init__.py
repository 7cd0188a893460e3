"""What work on images has cost: a ledger, one line a finished job."""
