"""The manifest of an export: the head of every chain, signed so that nobody else can make one."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from ops.audit.chain import Head
from ops.signed import NotSigned, claims_of, signed, signing_key

TYPE: Final = "audit-manifest+jwt"
_DOMAIN: Final = b"darkroom/audit-manifest/v1"


class NoManifest(Exception):
    """Not a manifest that this key signed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Chains:
    """The chains of one topic, by partition; `topic_id` tells it from one of its name made anew."""

    topic_id: str
    heads: Mapping[int, Head]


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What was exported, by topic, and when."""

    made_at: datetime
    topics: Mapping[str, Chains]


def audit_key(id_key: bytes) -> Ed25519PrivateKey:
    """The installation's key for manifests."""
    return signing_key(id_key, _DOMAIN)


def sign(key: Ed25519PrivateKey, manifest: Manifest) -> bytes:
    """The signed manifest."""
    claims = {
        "made_at": manifest.made_at.astimezone(UTC).isoformat(),
        "topics": {
            topic: {
                "topic_id": chains.topic_id,
                "partitions": {
                    str(partition): {
                        "next_offset": head.next_offset,
                        "records": head.records,
                        "digest": head.digest,
                    }
                    for partition, head in chains.heads.items()
                },
            }
            for topic, chains in manifest.topics.items()
        },
    }
    return signed(key, TYPE, claims)


def read(key: Ed25519PublicKey, said: bytes) -> Manifest:
    """What a manifest says; raises NoManifest unless this key signed it."""
    try:
        claims = claims_of(key, TYPE, said)
        topics = {topic: _chains(chains) for topic, chains in claims["topics"].items()}
        return Manifest(made_at=datetime.fromisoformat(claims["made_at"]), topics=topics)
    except NotSigned as error:
        raise NoManifest(str(error)) from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise NoManifest(type(error).__name__) from error


def _chains(said: dict[str, Any]) -> Chains:
    heads = {
        int(partition): Head(
            next_offset=int(head["next_offset"]), records=int(head["records"]), digest=str(head["digest"])
        )
        for partition, head in said["partitions"].items()
    }
    return Chains(topic_id=str(said["topic_id"]), heads=heads)
