"""Tells when a client of the log has gone deaf, so that another takes its place.

A broker that has just come up may say that there are topics and no brokers. librdkafka 2.13 to 2.16 then
forgets every broker, those of its settings too, and never hears again (its issue 5301). From inside this
can't be told from an outage, and a new client does no harm in one.
"""

import time
from collections.abc import Callable
from typing import Final

import structlog
from confluent_kafka import Consumer, KafkaError, KafkaException

DEAF_SECONDS: Final = 10.0
ASK_SECONDS: Final = 1.0
# Asking costs a follower up to a long poll's time, so one that hears nothing and has no doubts asks rarely.
_QUIET_SECONDS: Final = 60.0

log = structlog.get_logger(__name__)


class Deaf(Exception):
    """The brokers have not answered this client for too long; another client may hear them."""


class Hearing:
    """How long the brokers have been silent to one client. Belongs to one thread, but for `answered`.

    `now` is a monotonic clock in seconds.
    """

    def __init__(self, *, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._silent_since: float | None = None
        self._doubted = False
        self._asked = now()

    @property
    def doubted(self) -> bool:
        """Whether the client complained since a broker was last heard."""
        return self._doubted

    @property
    def silent(self) -> bool:
        """Whether a broker was asked and none has answered since."""
        return self._silent_since is not None

    def answered(self) -> None:
        """A broker said something."""
        self._silent_since = None

    def unanswered(self) -> None:
        """A broker was asked, and none answered."""
        if self._silent_since is None:
            self._silent_since = self._now()

    def deaf(self) -> bool:
        """Whether it is time for another client; having said so it counts anew."""
        if self._silent_since is None or self._now() - self._silent_since < DEAF_SECONDS:
            return False
        self._silent_since = None
        return True

    def doubt(self, _error: KafkaError) -> None:
        """The client complained, as it does when its last connection ends; made to be its error_cb."""
        self._doubted = True

    def listen(self, consumer: Consumer, topic: str) -> None:
        """To be called whenever the consumer had nothing to give; asks the brokers where there is a doubt.

        Raises Deaf when it is time for another consumer.
        """
        wait = ASK_SECONDS if self._doubted else _QUIET_SECONDS
        if self._now() - self._asked < wait:
            return
        self._doubted = not self._asks(consumer, topic)
        self._asked = self._now()
        if self._doubted:
            self.unanswered()
        else:
            self.answered()
        if self.deaf():
            log.warning("log_client.renewed", topic=topic)
            raise Deaf(f"no broker has answered for {DEAF_SECONDS:g} s")

    @staticmethod
    def _asks(consumer: Consumer, topic: str) -> bool:
        try:
            # A broker that knows of none, itself included, is what makes deaf.
            return bool(consumer.list_topics(topic, timeout=ASK_SECONDS).brokers)
        except KafkaException:
            return False
