"""People's data keys: what is personal is sealed under them, and gone when they are."""

from adapters.sealing import SealBroken
from adapters.subject_keys.custody import Custody, Rewrapped
from adapters.subject_keys.in_memory import InMemorySubjectKeys
from adapters.subject_keys.kafka import KafkaSubjectKeys
from adapters.subject_keys.protocol import KeyErased, KeyTrouble, SubjectKeys, UnknownKey

__all__ = [
    "Custody",
    "InMemorySubjectKeys",
    "KafkaSubjectKeys",
    "KeyErased",
    "KeyTrouble",
    "Rewrapped",
    "SealBroken",
    "SubjectKeys",
    "UnknownKey",
]
