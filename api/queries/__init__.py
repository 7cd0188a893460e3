"""What people may read: thin routes over the queries of the read models."""
