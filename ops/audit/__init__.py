"""The log as a hash chain: exported, signed, and checked offline or against the live log."""
