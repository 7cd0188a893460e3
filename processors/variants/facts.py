"""What is personal about an original: its digests come in sealed, what is read off it goes out sealed."""

import base64
from uuid import UUID

from adapters.sealing import open_json, seal_json
from adapters.subject_keys import KeyErased, SubjectKeys
from processors.imaging.contract import Facts
from processors.jobs import Request


def declared_sha256(keys: SubjectKeys, request: Request) -> str | None:
    """The SHA-256 in hex that was declared at upload; None where none was, or its key is erased.

    Raises UnknownKey, SealBroken.
    """
    if request.sealed_digests is None:
        return None
    digests = open_json(keys, user_id=request.owner_id, field="sealed_digests", sealed=request.sealed_digests)
    sha256 = (digests or {}).get("sha256")
    return sha256 if isinstance(sha256, str) else None


def seal_facts(keys: SubjectKeys, facts: Facts, *, user_id: UUID, key_id: UUID) -> bytes | None:
    """The facts under the person's key; None where that key is erased, as if they had never been read.

    Raises UnknownKey.
    """
    value = {
        "thumbhash": base64.b64encode(facts.thumbhash).decode(),
        "taken_at": None if facts.taken_at is None else facts.taken_at.isoformat(),
        "camera": facts.camera,
        "sha256": facts.sha256,
    }
    try:
        return seal_json(keys, user_id=user_id, key_id=key_id, field="sealed_facts", value=value)
    except KeyErased:
        return None
