"""Asks the broker whether a consumer group knows one of its members, seen from outside of that member.

By aiokafka: librdkafka aborts the whole process when a connection drops during a request to a group's
coordinator (confluentinc/librdkafka#4605).
"""

import asyncio
import contextlib
import ssl
from typing import Final

from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.errors import KafkaError

from adapters.settings import KafkaSettings

_REQUEST_SECONDS: Final = 5.0
_MEMBERS: Final = 5
_CLIENT_ID: Final = 1


class Membership:
    """One member, by the client id that it joined its group with. Belongs to one event loop."""

    def __init__(self, kafka: KafkaSettings, *, group: str, client_id: str) -> None:
        self._kafka = kafka
        self._group = group
        self._client_id = client_id
        self._admin: AIOKafkaAdminClient | None = None

    async def known(self) -> bool | None:
        """Whether the group has the member; None where the broker does not answer."""
        try:
            async with asyncio.timeout(_REQUEST_SECONDS):
                if self._admin is None:
                    self._admin = await self._connected()
                (response,) = await self._admin.describe_consumer_groups([self._group])
        except (KafkaError, OSError, TimeoutError):
            await self.close()
            return None
        members = [member for group in response.groups for member in group[_MEMBERS]]
        return any(member[_CLIENT_ID] == self._client_id for member in members)

    async def close(self) -> None:
        """Lets go of the connection."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with contextlib.suppress(KafkaError, OSError, TimeoutError):
                await admin.close()

    async def _connected(self) -> AIOKafkaAdminClient:
        kafka = self._kafka
        admin = AIOKafkaAdminClient(
            bootstrap_servers=kafka.bootstrap_servers,
            client_id=f"{self._client_id}-watch",
            request_timeout_ms=int(_REQUEST_SECONDS * 1000),
            security_protocol=kafka.security_protocol.upper(),
            ssl_context=ssl.create_default_context(cafile=kafka.ca_file) if kafka.encrypted else None,
            sasl_mechanism=kafka.sasl_mechanism,
            sasl_plain_username=kafka.username,
            sasl_plain_password=None if kafka.password is None else kafka.password.get_secret_value(),
        )
        try:
            await admin.start()
        except BaseException:
            await admin.close()
            raise
        return admin
