"""The broker settings as Faust wants them."""

import ssl

import faust
from faust.types.auth import CredentialsT

from adapters.settings import KafkaSettings


def broker_list(kafka: KafkaSettings) -> tuple[str, ...]:
    """Addresses of brokers to start from, host:port."""
    return tuple(server.strip() for server in kafka.bootstrap_servers.split(","))


def credentials(kafka: KafkaSettings) -> CredentialsT | None:
    """How to say who we are; None on a plain wire."""
    context = ssl.create_default_context(cafile=kafka.ca_file) if kafka.encrypted else None
    if kafka.username is not None and kafka.password is not None:
        return faust.SASLCredentials(
            username=kafka.username,
            password=kafka.password.get_secret_value(),
            mechanism=kafka.sasl_mechanism,
            ssl_context=context,
        )
    return faust.SSLCredentials(context=context) if context is not None else None
