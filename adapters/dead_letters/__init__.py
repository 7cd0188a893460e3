"""Dead letters: records set aside with their bytes and their reason."""

from adapters.dead_letters.in_memory import DeadLetter, InMemoryDeadLetters
from adapters.dead_letters.kafka import KafkaDeadLetters
from adapters.dead_letters.kafka_box import KafkaLetterBox
from adapters.dead_letters.letters import Letter, LetterBox, LetterPage, LettersUnreadable, Wanted
from adapters.dead_letters.protocol import DeadLetterNotWritten, DeadLetters, Reason

__all__ = [
    "DeadLetter",
    "DeadLetterNotWritten",
    "DeadLetters",
    "InMemoryDeadLetters",
    "KafkaDeadLetters",
    "KafkaLetterBox",
    "Letter",
    "LetterBox",
    "LetterPage",
    "LettersUnreadable",
    "Reason",
    "Wanted",
]
