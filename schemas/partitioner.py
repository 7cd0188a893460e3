"""Which partition a key belongs to: murmur2, bit for bit as Java's producers compute it."""

import struct
from functools import lru_cache

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions` (≥ 1), the same that a Java producer would pick."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """The unsigned 32-bit MurmurHash2 of `key` under Kafka's seed (Java shows the same bits signed).

    What happens to each word by itself happens to all at once, each in 64 bits of one long number.
    """
    length = len(key)
    whole = length & ~3
    words = whole // 4
    h = _SEED ^ length
    spread, mask, high = _spread(words)
    mixed = int.from_bytes(spread.pack(*struct.unpack_from(f"<{words}I", key)), "little") * _M & mask
    mixed = (mixed ^ mixed >> 24 & high) * _M & mask
    for k in spread.unpack(mixed.to_bytes(8 * words, "little")):
        h = h * _M & _MASK ^ k
    if whole < length:
        h = (h ^ int.from_bytes(key[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)


@lru_cache(maxsize=64)
def _spread(words: int) -> tuple[struct.Struct, int, int]:
    """How so many words lie in 64 bits each, the bits that are theirs, and the eight lowest of each."""
    mask, high = (int.from_bytes(bits.to_bytes(8, "little") * words, "little") for bits in (_MASK, 0xFF))
    return struct.Struct(f"<{words}Q"), mask, high
