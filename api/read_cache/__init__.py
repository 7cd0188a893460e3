"""What the doors remember of the read models: rows and answers, as long as they are true."""

from api.read_cache.cache import Page, ReadCache

__all__ = ["Page", "ReadCache"]
