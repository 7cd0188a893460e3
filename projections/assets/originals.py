"""Reads originals: what there is to make variants of, what was made of it, and what a run picks."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

from psycopg import AsyncConnection

from projections.statements import statements

_SQL: Final = "assets/originals.sql"


class InvalidSelection(ValueError):
    """The filter of a run that can't be; the text is a sentence."""


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptSet:
    """A set of variants that is not served any more, and since when; `manifest_key` names its objects."""

    job_id: UUID
    preset_set: str
    manifest_key: str
    superseded_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class OriginalRow:
    """An original that is neither purged nor in the trash, and the sets of variants that stand of it.

    `preset_set` and `manifest_key` are those of the set that is served; `data_key_id` and `sealed_digests`
    are what its upload said. The position is that of the last record that changed the row.
    """

    asset_id: UUID
    owner_id: UUID
    original_key: str
    size: int
    data_key_id: UUID
    sealed_digests: bytes | None
    preset_set: str | None
    manifest_key: str | None
    kept: tuple[KeptSet, ...]
    version: int
    position_partition: int
    position_offset: int

    def manifest_of(self, preset_set: str) -> str | None:
        """The manifest of a set by these presets that stands: the served one, else the newest kept."""
        if self.preset_set == preset_set:
            return self.manifest_key
        found = [kept.manifest_key for kept in self.kept if kept.preset_set == preset_set]
        return found[-1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which originals a run picks: all that meet every condition that is given.

    `until` is excluded. `not_of_set` picks those whose served set was made by other presets. Nothing personal
    is in it, as the log keeps it for ever.
    """

    asset_ids: tuple[UUID, ...] = ()
    statuses: tuple[str, ...] = ()
    content_types: tuple[str, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    not_of_set: str | None = None

    def to_json(self) -> str:
        """The selection as an event's `filter`; the inverse of `from_json`."""
        said: dict[str, object] = {
            "asset_ids": [str(asset_id) for asset_id in self.asset_ids],
            "statuses": list(self.statuses),
            "content_types": list(self.content_types),
            "since": None if self.since is None else self.since.isoformat(),
            "until": None if self.until is None else self.until.isoformat(),
            "not_of_set": self.not_of_set,
        }
        return json.dumps({name: value for name, value in said.items() if value}, sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "Selection":
        """The selection that a filter says; raises InvalidSelection, for names too that we do not know."""
        try:
            said = dict(json.loads(text or "{}"))
            if unknown := said.keys() - {field.name for field in fields(cls)}:
                raise InvalidSelection(f"The filter names what nobody knows: {', '.join(sorted(unknown))}.")
            since, until = said.get("since"), said.get("until")
            return cls(
                asset_ids=tuple(UUID(one) for one in said.get("asset_ids", ())),
                statuses=tuple(str(one) for one in said.get("statuses", ())),
                content_types=tuple(str(one) for one in said.get("content_types", ())),
                since=None if since is None else datetime.fromisoformat(since),
                until=None if until is None else datetime.fromisoformat(until),
                not_of_set=said.get("not_of_set"),
            )
        except InvalidSelection:
            raise
        except (ValueError, TypeError, AttributeError) as error:
            raise InvalidSelection(f"The filter can't be read: {type(error).__name__}.") from error

    def parameters(self) -> dict[str, Any]:
        """For the statements: an empty condition is null."""
        return {
            "asset_ids": list(self.asset_ids) or None,
            "statuses": list(self.statuses) or None,
            "content_types": list(self.content_types) or None,
            "since": self.since,
            "until": self.until,
            "not_of_set": self.not_of_set,
        }


async def original(
    conn: AsyncConnection[Any], *, asset_id: UUID, owner_id: UUID | None = None
) -> OriginalRow | None:
    """The original; None where this owner (None: anybody) has none, or has put it into the trash."""
    found = await _rows(conn, _statement("original"), {"asset_id": asset_id, "owner_id": owner_id})
    return found[0] if found else None


async def originals_wanted(
    conn: AsyncConnection[Any],
    selection: Selection,
    *,
    run_id: UUID,
    owner_id: UUID | None,
    after: UUID | None,
    limit: int,
) -> list[OriginalRow]:
    """Originals that the run picks and has no job for, by asset id, after the one that `after` names."""
    wanted = _statement("wanted") + _statement("picked") + _statement("page")
    parameters = {"run_id": run_id, "owner_id": owner_id, "after": after, "limit": limit}
    return await _rows(conn, wanted, selection.parameters() | parameters)


async def how_many_wanted(
    conn: AsyncConnection[Any], selection: Selection, *, run_id: UUID, owner_id: UUID | None
) -> int:
    """How many originals the run picks and has no job for."""
    parameters = selection.parameters() | {"run_id": run_id, "owner_id": owner_id}
    found = await conn.execute(_statement("how_many") + _statement("picked"), parameters)
    row = await found.fetchone()
    return int(row[0]) if row is not None else 0


async def originals_superseded(
    conn: AsyncConnection[Any], *, after: UUID | None, limit: int
) -> list[OriginalRow]:
    """Assets that keep a set which is not served any more, by asset id."""
    return await _rows(conn, _statement("superseded"), {"after": after, "limit": limit})


def _statement(name: str) -> bytes:
    return statements(_SQL)[name] + b"\n"


async def _rows(
    conn: AsyncConnection[Any], statement: bytes, parameters: Mapping[str, Any]
) -> list[OriginalRow]:
    return [_row(row) for row in await (await conn.execute(statement, parameters)).fetchall()]


def _row(row: Sequence[Any]) -> OriginalRow:
    asset_id, owner_id, key, size, data_key_id, digests, preset_set, manifest, kept, *rest = row
    version, partition, offset = rest
    return OriginalRow(
        asset_id=asset_id,
        owner_id=owner_id,
        original_key=key,
        size=size,
        data_key_id=data_key_id,
        sealed_digests=None if digests is None else bytes(digests),
        preset_set=preset_set,
        manifest_key=manifest,
        kept=tuple(_kept(kept)),
        version=version,
        position_partition=partition,
        position_offset=offset,
    )


def _kept(said: Iterable[Mapping[str, str]]) -> Iterable[KeptSet]:
    for one in said:
        yield KeptSet(
            job_id=UUID(one["job_id"]),
            preset_set=one["preset_set"],
            manifest_key=one["manifest_key"],
            superseded_at=datetime.fromisoformat(one["superseded_at"]),
        )
