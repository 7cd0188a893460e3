"""Dead letters: records set aside with their bytes and their reason."""

from adapters.dead_letters.in_memory import DeadLetter, InMemoryDeadLetters
from adapters.dead_letters.kafka import KafkaDeadLetters
from adapters.dead_letters.protocol import DeadLetterNotWritten, DeadLetters, Reason

__all__ = [
    "DeadLetter",
    "DeadLetterNotWritten",
    "DeadLetters",
    "InMemoryDeadLetters",
    "KafkaDeadLetters",
    "Reason",
]
