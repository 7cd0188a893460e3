"""Asks the broker whether a consumer group knows one of its static members."""

from collections.abc import Mapping
from typing import Final

from confluent_kafka import KafkaException
from confluent_kafka.admin import AdminClient

_REQUEST_SECONDS: Final = 3.0


class Membership:
    """One member of one group, seen from outside of the client that joined it."""

    def __init__(
        self, client: Mapping[str, str | int | float | bool], *, group: str, instance_id: str
    ) -> None:
        self._admin = AdminClient(dict(client))
        self._group = group
        self._instance_id = instance_id

    def known(self) -> bool | None:
        """Whether the group has the member; None where the broker does not answer. Blocks for seconds."""
        try:
            answers = self._admin.describe_consumer_groups([self._group], request_timeout=_REQUEST_SECONDS)
            members = answers[self._group].result().members
        except KafkaException:
            return None
        return any(member.group_instance_id == self._instance_id for member in members)
