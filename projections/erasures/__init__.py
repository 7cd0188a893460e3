"""The read model of erasures: which were asked for, and which are done."""
