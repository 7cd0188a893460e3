"""What the client library's errors mean for a record."""

from typing import Final

from confluent_kafka import KafkaError

from adapters.event_log.protocol import AppendFailed, LogUnavailable, OutcomeUnknown, RecordTooLarge

# Errors go by their names: those of the client library itself begin with an underscore.
TOO_LARGE: Final = frozenset({"MSG_SIZE_TOO_LARGE", "RECORD_LIST_TOO_LARGE"})
"""Names of the errors that no repetition helps."""
# The broker said no before it wrote anything, and the library does not try these again.
_REFUSED: Final = frozenset({
    "TOPIC_AUTHORIZATION_FAILED",
    "CLUSTER_AUTHORIZATION_FAILED",
    "UNKNOWN_TOPIC_OR_PART",
    "INVALID_RECORD",
    "POLICY_VIOLATION",
    "_UNKNOWN_TOPIC",
    "_UNKNOWN_PARTITION",
    "_QUEUE_FULL",
})  # fmt: skip


def failure_of(error: KafkaError) -> AppendFailed:
    """How an append ended that met this error."""
    name = error.name()
    if name in TOO_LARGE:
        return RecordTooLarge(error.str())
    if name in _REFUSED:
        return LogUnavailable(error.str())
    return OutcomeUnknown(error.str())
