"""The event log: events appended, and acknowledged before anyone hears of them."""

from adapters.event_log.in_memory import InMemoryEventLog
from adapters.event_log.kafka import KafkaEventLog
from adapters.event_log.protocol import (
    AppendFailed,
    EventLog,
    LogUnavailable,
    OutcomeUnknown,
    RecordTooLarge,
)

__all__ = [
    "AppendFailed",
    "EventLog",
    "InMemoryEventLog",
    "KafkaEventLog",
    "LogUnavailable",
    "OutcomeUnknown",
    "RecordTooLarge",
]
