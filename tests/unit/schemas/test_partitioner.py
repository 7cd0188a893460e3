"""Our partitions are those that Java's producers pick."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from schemas.partitioner import murmur2, partition_for

# (key, Utils.murmur2 of Kafka 4.3.1's Java client, toPositive(…) % 12, toPositive(…) % 7)
GOLDEN = [
    (b"", 275646681, 9, 2),
    (b"a", -1563381124, 4, 5),
    (b"ab", 316155434, 2, 0),
    (b"abc", 479470107, 3, 4),
    (b"abcd", -1323649548, 8, 5),
    (b"21", -973932308, 0, 3),
    (b"foobar", -790332482, 6, 0),
    (b"a-little-bit-long-string", -985981536, 8, 1),
    (b"darkroom", 1336507759, 7, 6),
    (b"0190f3c2-7b1e-7c3a-9d55-1f2e3a4b5c6d", -704613757, 7, 1),
    (b"018f0000-0000-7000-8000-000000000000", 2084060415, 3, 3),
    (b"ffffffff-ffff-ffff-ffff-ffffffffffff", -359870222, 6, 4),
    ("naïve-ключ-鍵".encode(), 354502992, 0, 4),
    (b"0190f3c2-7b1e-7c3a-9d55-1f2e3a4b5c6d/018f0000-0000-7000-8000-000000000000", 360340604, 8, 1),
    (b"\x00", 375494588, 8, 0),
    (b"\xff\xff\xff\xff", 644171429, 5, 6),
    (b"\x80\x00\xff\x01\x02", -1012050585, 11, 2),
    (bytes(range(256)), -1948347274, 10, 3),
]


@pytest.mark.parametrize(("key", "java", "of_twelve", "of_seven"), GOLDEN)
def test_the_partition_is_javas(key: bytes, java: int, of_twelve: int, of_seven: int) -> None:
    assert murmur2(key) == java % 2**32
    assert (partition_for(key, 12), partition_for(key, 7)) == (of_twelve, of_seven)


@given(st.binary(), st.integers(1, 1000))
def test_every_key_has_a_partition(key: bytes, partitions: int) -> None:
    assert 0 <= partition_for(key, partitions) < partitions
    assert partition_for(key, 1) == 0
