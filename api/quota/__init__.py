"""How much each user may keep, and which bytes they have already."""

from api.quota.in_memory import InMemoryQuotas
from api.quota.postgres import PostgresQuotas
from api.quota.protocol import Quotas, Room, Used

__all__ = ["InMemoryQuotas", "PostgresQuotas", "Quotas", "Room", "Used"]
