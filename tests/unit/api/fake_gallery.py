"""The gallery in memory: filters and orders rows as the statements over Postgres do."""

from collections.abc import Iterable

from projections.assets.clear import Words
from projections.assets.pages import AssetFilter, AssetMark, mark_of
from projections.assets.queries import AssetRow
from projections.assets.search import sought, tag_term, terms


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
