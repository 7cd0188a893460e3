"""The name under which purge workers share their work."""

from typing import Final

COMPONENT: Final = "purge"


def purge_group(topic_prefix: str) -> str:
    """The consumer group whose offsets say which purges are done with."""
    return f"{topic_prefix}.{COMPONENT}"
