"""The gallery, its links and its history in memory, as the statements over Postgres give them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from uuid import UUID

from projections.activity.history import HistoryRow
from projections.activity.queries import ActivityRow
from projections.assets.clear import Words
from projections.assets.pages import AssetFilter, AssetMark, mark_of
from projections.assets.queries import AssetRow
from projections.assets.search import sought, tag_term, terms
from projections.links.queries import LinkRow
from schemas.lifecycle import AssetState


def page_of(
    rows: Iterable[AssetRow], wanted: AssetFilter, *, limit: int, after: AssetMark | None
) -> list[AssetRow]:
    def key(row: AssetRow) -> AssetMark:
        return _lowered(mark_of(row, wanted.sort))

    found = sorted((row for row in rows if _fits(row, wanted)), key=key, reverse=wanted.descending)
    if after is not None:
        mark = _lowered(after)
        found = [row for row in found if (key(row) < mark if wanted.descending else key(row) > mark)]
    return found[:limit]


def _lowered(mark: AssetMark) -> AssetMark:
    return AssetMark(mark.value.lower()[:64], mark.asset_id) if isinstance(mark.value, str) else mark


def _fits(row: AssetRow, wanted: AssetFilter) -> bool:
    return (
        row.owner_id == wanted.owner_id
        and wanted.trashed == (row.deleted_at is not None)
        and (wanted.trashed or row.error_code != "aborted")
        and wanted.status in {None, row.status}
        and wanted.content_type in {None, row.content_type}
        and (wanted.since is None or row.listed_at >= wanted.since)
        and (wanted.until is None or row.listed_at < wanted.until)
        and _found(row, wanted)
    )


def _found(row: AssetRow, wanted: AssetFilter) -> bool:
    words = Words(file_name=row.file_name, title=row.title, description=row.description, tags=row.tags)
    there, beginnings = terms(words), sought(wanted.text or "")
    if wanted.text is not None and not beginnings:
        return False
    return all(tag_term(tag) in there for tag in wanted.tags) and all(
        any(term.startswith(beginning) for term in there) for beginning in beginnings
    )


def links_in(states: Mapping[UUID, AssetState]) -> Iterator[LinkRow]:
    for state in states.values():
        for link in state.links:
            yield LinkRow(
                link_id=link.link_id,
                asset_id=state.asset_id,
                owner_id=state.owner_id,
                variant=link.variant,
                issued_at=link.issued_at,
                expires_at=link.expires_at,
                revoked_at=link.revoked_at,
            )


def told(
    feed: Sequence[ActivityRow], *, owner_id: UUID, asset_id: UUID, after: int, limit: int
) -> list[HistoryRow]:
    rows = [row for row in feed if row.asset_id == asset_id]
    if all(row.owner_id != owner_id for row in rows):
        return []
    found = []
    for before, row in zip([None, *rows], rows, strict=False):
        asked = [one.event_id for one in rows if one.accepted and one.job_id == row.job_id and _asks(one)]
        found.append(
            HistoryRow(
                topic=row.topic,
                partition=row.partition,
                offset=row.offset,
                event_id=row.event_id,
                event_type=row.event_type,
                accepted=row.accepted,
                owner_id=row.owner_id,
                actor_id=row.actor_id,
                job_id=row.job_id,
                attempt=row.attempt,
                worker=row.worker,
                kind=row.kind,
                code=row.code,
                occurred_at=row.occurred_at,
                log_time=row.log_time,
                since_before=row.log_time - before.log_time if before is not None else None,
                correlation_id=row.correlation_id,
                caused_by=row.causation_id or (asked[0] if asked and row.actor_id is None else None),
                data=row.data,
            )
        )
    return [row for row in found if row.offset > after][:limit]


def _asks(row: ActivityRow) -> bool:
    return row.event_type in {"UploadCompleted", "VariantsRequested"}
