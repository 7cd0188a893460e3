"""What a committed batch tells over NOTIFY: how far it came, and whose rows it changed, where that fits."""

import base64
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final
from uuid import UUID

# Postgres takes payloads up to 8,000 bytes.
MOST_PAYLOAD: Final = 7_000
_ID_BYTES: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """The assets whose rows a batch changed, and their owners: all of them."""

    assets: frozenset[UUID] = frozenset()
    owners: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """A batch: of each partition that it moved where it began and the offset that follows it.

    Without `changes` nobody says what it changed; `began` may be empty then. `form` says into which forms of
    the topic's read models it was folded; empty: into whatever there is.
    """

    topic: str
    following: Mapping[int, int]
    began: Mapping[int, int]
    changes: Changes | None
    form: str = ""


def write_notice(notice: Notice) -> str:
    """The payload; of a batch that is too large for one without its changes, or empty: look for yourself."""
    bare = {"topic": notice.topic, "form": notice.form, "next": notice.following}
    if notice.changes is not None:
        said = {
            "from": notice.began,
            "assets": _text(notice.changes.assets),
            "owners": _text(notice.changes.owners),
        }
        payload = json.dumps(bare | said, separators=(",", ":"))
        if len(payload) <= MOST_PAYLOAD:
            return payload
    payload = json.dumps(bare, separators=(",", ":"))
    return payload if len(payload) <= MOST_PAYLOAD else ""


def read_notice(told: Mapping[str, object]) -> Notice:
    """The notice in a payload that was parsed; raises ValueError, KeyError, TypeError where it is none."""
    changes = None
    if "assets" in told:
        changes = Changes(assets=frozenset(_ids(told["assets"])), owners=frozenset(_ids(told["owners"])))
    return Notice(
        topic=str(told["topic"]),
        following=_offsets(told["next"]),
        began=_offsets(told.get("from", {})),
        changes=changes,
        form=str(told.get("form", "")),
    )


def _text(ids: Iterable[UUID]) -> str:
    return base64.b64encode(b"".join(sorted(each.bytes for each in ids))).decode()


def _ids(text: object) -> Iterable[UUID]:
    data = base64.b64decode(str(text), validate=True)
    return (UUID(bytes=data[at : at + _ID_BYTES]) for at in range(0, len(data), _ID_BYTES))


def _offsets(said: object) -> dict[int, int]:
    if not isinstance(said, dict):
        raise TypeError("offsets by partition")
    return {int(partition): int(offset) for partition, offset in said.items()}
