"""The read model of everything that happened to accounts: audit, and what doors must no longer let in."""
