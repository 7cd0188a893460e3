"""Brokers inside librdkafka that say what they are told to: its mock cluster, which Python has no door to."""

import contextlib
import ctypes
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import confluent_kafka

PRODUCE: Final = 0
"""The number of produce requests in Kafka's protocol."""

_PRODUCER: Final = 0


class MockBrokers:
    """A cluster of the process's own, on loopback, as long as `mock_brokers` lasts."""

    def __init__(self, library: ctypes.CDLL, cluster: int) -> None:
        self._library = library
        self._cluster = ctypes.c_void_p(cluster)
        self.bootstrap: str = library.rd_kafka_mock_cluster_bootstraps(self._cluster).decode()

    def create(self, topic: str, partitions: int) -> None:
        """Makes a topic with a copy on each broker."""
        error = self._library.rd_kafka_mock_topic_create(
            self._cluster, topic.encode(), ctypes.c_int(partitions), ctypes.c_int(1)
        )
        assert error == 0, error

    def say(self, request: int, errors: Sequence[int]) -> None:
        """Answers the next requests of this kind with these errors, one each; zero is none."""
        array = (ctypes.c_int * len(errors))(*errors)
        self._library.rd_kafka_mock_push_request_errors_array(
            self._cluster, ctypes.c_int16(request), ctypes.c_size_t(len(errors)), array
        )

    def be_well(self, request: int) -> None:
        """Forgets which errors were still to be said."""
        self._library.rd_kafka_mock_clear_request_errors(self._cluster, ctypes.c_int16(request))


@contextlib.contextmanager
def mock_brokers(count: int = 1) -> Iterator[MockBrokers]:
    """So many brokers, gone with the block."""
    library = _library()
    words = ctypes.create_string_buffer(512)
    bearer = library.rd_kafka_new(_PRODUCER, None, words, ctypes.c_size_t(len(words)))
    assert bearer, words.value
    cluster = library.rd_kafka_mock_cluster_new(ctypes.c_void_p(bearer), ctypes.c_int(count))
    try:
        yield MockBrokers(library, cluster)
    finally:
        library.rd_kafka_mock_cluster_destroy(ctypes.c_void_p(cluster))
        library.rd_kafka_destroy(ctypes.c_void_p(bearer))


def _library() -> ctypes.CDLL:
    """The very library that confluent-kafka has loaded."""
    folder = Path(confluent_kafka.__file__).parent.with_name("confluent_kafka.libs")
    library = ctypes.CDLL(str(next(folder.glob("librdkafka-*.so*"))))
    library.rd_kafka_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_new.restype = ctypes.c_void_p
    library.rd_kafka_mock_cluster_bootstraps.restype = ctypes.c_char_p
    return library
