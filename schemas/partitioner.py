"""Which partition a key belongs to: murmur2, bit for bit as Java's producers compute it."""

import struct

_SEED = 0x9747B28C
_M = 0x5BD1E995
_MASK = 0xFFFFFFFF


def partition_for(key: bytes, partitions: int) -> int:
    """The partition of `key` among `partitions` (≥ 1), the same that a Java producer would pick."""
    return (murmur2(key) & 0x7FFFFFFF) % partitions


def murmur2(key: bytes) -> int:
    """The unsigned 32-bit MurmurHash2 of `key` under Kafka's seed (Java shows the same bits signed)."""
    length = len(key)
    whole = length & ~3
    h = _SEED ^ length
    for word in struct.unpack_from(f"<{whole // 4}I", key):
        k = word * _M & _MASK
        h = (h * _M & _MASK) ^ ((k ^ (k >> 24)) * _M & _MASK)
    if whole < length:
        h = (h ^ int.from_bytes(key[whole:], "little")) * _M & _MASK
    h = (h ^ (h >> 13)) * _M & _MASK
    return h ^ (h >> 15)
