"""Folds each asset that a batch changed into its one row."""

from collections.abc import Iterable, Iterator
from json.encoder import encode_basestring_ascii as _quoted
from typing import Any, Final

from psycopg import Connection
from psycopg.types.json import Jsonb

from projections.assets.clear import ClearText, Facts
from projections.assets.search import terms
from projections.forms import ASSETS
from projections.of_assets import Changed, Folded
from projections.shortcuts import Whole
from projections.tables import Table
from schemas.asset_state import AssetState, VariantSet
from schemas.events import Variant, VariantsReady
from schemas.whole_life import VERSION, WholeLife

TABLE: Final = Table(
    model=ASSETS,
    name="assets",
    key="asset_id",
    columns={
        "asset_id": "uuid",
        "owner_id": "uuid",
        "status": "text",
        "title": "text",
        "description": "text",
        "tags": "text[]",
        "file_name": "text",
        "content_type": "text",
        "size": "int8",
        "requested_at": "timestamptz",
        "uploaded_at": "timestamptz",
        "listed_at": "timestamptz",
        "expires_at": "timestamptz",
        "deleted_at": "timestamptz",
        "doomed": "bool",
        "upload_id": "uuid",
        "incoming_key": "text",
        "original_key": "text",
        "data_key_id": "uuid",
        "sealed_digests": "bytea",
        "processed_at": "timestamptz",
        "taken_at": "text",
        "camera": "text",
        "thumbhash": "text",
        "width": "int8",
        "height": "int8",
        "variants": "jsonb",
        "preset_set": "text",
        "manifest_key": "text",
        "metadata_key": "text",
        "kept": "jsonb",
        "job_id": "uuid",
        "error_kind": "text",
        "error_code": "text",
        "search": "text[]",
        "version": "int8",
        "position_partition": "int4",
        "position_offset": "int8",
    },
)

Row = tuple[Any, ...]

_NONE: Final = b"[]"


def write(conn: Connection[Any], folded: Folded, clear: ClearText) -> None:
    """Replaces the rows of the assets that the batch changed."""
    TABLE.replace(conn, folded.replaced(), rows(folded, clear))


def rows(folded: Folded, clear: ClearText) -> Iterator[Row]:
    """One row for each changed asset, values in the order of TABLE's columns; raises what `clear` raises.

    A purged asset has none.
    """
    for change in folded.changed.values():
        if isinstance(change, Whole):
            yield _row_of_whole(change, clear)
        elif change.state.purged_at is None:
            yield _row(change, clear)


def _row(changed: Changed, clear: ClearText) -> Row:
    state = changed.state
    words = clear.words(state.owner_id, state.sealed_words)
    upload, original, job = state.upload, state.original, state.newest_job
    return (
        state.asset_id,
        state.owner_id,
        state.status,
        words.title,
        words.description,
        list(words.tags),
        words.file_name,
        original.content_type if original else upload.content_type,
        original.size if original else upload.declared_size,
        upload.requested_at,
        original.uploaded_at if original else None,
        original.uploaded_at if original else upload.requested_at,
        upload.expires_at,
        state.deleted_at,
        state.doomed,
        upload.upload_id,
        upload.object_key,
        original.object_key if original else None,
        original.data_key_id if original else None,
        original.sealed_digests if original else None,
        *_of_sets(state, clear),
        job.job_id if job else None,
        *(state.error or (None, None)),
        terms(words),
        state.version,
        changed.partition,
        changed.offset,
    )


def _row_of_whole(change: Whole[AssetState], clear: ClearText) -> Row:
    """As `_row` of its state, which need not be made for it."""
    life: WholeLife = change.life
    requested, completed, _, ready = life
    words = clear.words(requested.owner_id, requested.sealed_words)
    return (
        requested.asset_id,
        requested.owner_id,
        "ready",
        words.title,
        words.description,
        words.tags,
        words.file_name,
        completed.content_type,
        completed.size,
        requested.occurred_at,
        completed.occurred_at,
        completed.occurred_at,
        requested.expires_at,
        None,  # deleted_at
        False,  # doomed
        requested.upload_id,
        requested.object_key,
        completed.object_key,
        completed.data_key_id,
        completed.sealed_digests,
        *_of_result(ready, clear.facts(requested.owner_id, ready.sealed_facts)),
        _NONE,  # kept
        completed.job_id,
        None,  # error_kind
        None,  # error_code
        terms(words),
        VERSION,
        change.partition,
        change.offset,
    )


def _of_result(ready: VariantsReady, facts: Facts) -> Row:
    """From processed_at to metadata_key, of an asset's one set."""
    return (
        ready.occurred_at,
        facts.taken_at,
        facts.camera,
        facts.thumbhash,
        ready.source.width,
        ready.source.height,
        listed(ready.variants),
        ready.preset_set,
        ready.manifest_key,
        ready.metadata_key,
    )


def _of_sets(state: AssetState, clear: ClearText) -> Row:
    """From processed_at to kept: what was read off the picture, and the sets made of it."""
    served, job = state.served, state.newest_job
    facts = clear.facts(state.owner_id, served.sealed_facts if served else None)
    return (
        served.ready_at if served else None,
        facts.taken_at,
        facts.camera,
        facts.thumbhash,
        served.source.width if served else None,
        served.source.height if served else None,
        listed(served.variants) if served else _NONE,
        served.preset_set if served else job.preset_set if job else None,
        served.manifest_key if served else None,
        served.metadata_key if served else None,
        Jsonb([_kept(one) for one in state.kept]) if state.kept else _NONE,
    )


def listed(variants: Iterable[Variant]) -> bytes:
    """The variants as JSON text, written out here: it is the most of a row, and json.dumps takes its time."""
    return f"[{','.join(map(_variant, variants))}]".encode()


def _variant(variant: Variant) -> str:
    return (
        f'{{"name":{_quoted(variant.name)},"object_key":{_quoted(variant.object_key)},'
        f'"content_type":{_quoted(variant.content_type)},"width":{variant.width},'
        f'"height":{variant.height},"size":{variant.size}}}'
    )


def _kept(one: VariantSet) -> dict[str, Any]:
    superseded_at = one.superseded_at or one.ready_at
    return {
        "job_id": str(one.job_id),
        "preset_set": one.preset_set,
        "manifest_key": one.manifest_key,
        "superseded_at": superseded_at.isoformat(),
    }
