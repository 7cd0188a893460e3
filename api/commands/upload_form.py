"""UploadForm: a file and its words in one multipart form, streamed to the store."""

import hashlib
import json
import secrets
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Final
from uuid import UUID

import structlog
from fastapi import APIRouter, Request, Response

from adapters.clock import new_id
from adapters.object_store import ObjectInfo, ObjectTooLarge, StoreError, StoreUnavailable
from adapters.sealing import seal_json
from api.access import entered
from api.bodies import drain, too_large, validated
from api.commands.answers import HELD_ALREADY, UploadAccepted, accepted, position_of
from api.commands.completed import Completed
from api.commands.completion import Ids, active_preset_set, append_completed, copy_original
from api.commands.duplicates import Bytes, Duplicate, note, twin_of
from api.commands.grant import Grant
from api.forms import FilePart, Form, read_form
from api.intent import IdempotencyKey, Intent, applied, begin
from api.media_types import ACCEPTED, picture_type
from api.openapi import form_request, problems
from api.origin import metadata
from api.parts import Parts
from api.problems import EmptyUpload, StoreDown, UnsupportedMediaType, invalid
from api.quota.doors import awaited, promised
from api.words import Words, split_tags
from schemas.events import UploadRequested

ROUTE: Final = "/v1/uploads"
WORDS: Final = frozenset({"title", "description", "tags"})
# A form whose second event never came is given up like any upload that never came.
ABANDONED_AFTER: Final = timedelta(hours=1)

router = APIRouter()
log = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Received:
    """The file as it arrived in the store, under a key of `incoming/`; `sha256` are its bytes' in hex."""

    info: ObjectInfo
    content_type: str
    sha256: str


def decide(received: Received, intent: Intent, *, sealed_words: bytes) -> UploadRequested:
    """The event that grants what has just arrived; raises EmptyUpload."""
    if received.info.size == 0:
        raise EmptyUpload
    return UploadRequested(
        event_id=intent.new_id("requested"),
        occurred_at=intent.asked_at,
        asset_id=intent.new_id("asset"),
        owner_id=intent.caller.user_id,
        actor_id=intent.caller.user_id,
        request_hash=intent.request_hash,
        upload_id=intent.new_id("upload"),
        method="form",
        object_key=received.info.key,
        content_type=received.content_type,
        declared_size=received.info.size,
        sealed_words=sealed_words,
        expires_at=intent.asked_at + ABANDONED_AFTER,
    )


@router.post(
    ROUTE,
    status_code=202,
    summary="Upload a file with a form",
    response_description="The original is in place; its variants are asked for.",
    tags=["uploads"],
    responses={**HELD_ALREADY, **problems(401, 403, 408, 413, 415, 422, 503)},
    openapi_extra=form_request(),
)
async def upload_form(
    request: Request, response: Response, duplicate: Duplicate = None, key: IdempotencyKey = None
) -> UploadAccepted:
    """Takes the field `file`, and beside it `title`, `description` and `tags` (with commas between)."""
    parts, caller = await entered(request, "assets:write")
    active_preset_set(parts)  # better known before megabytes were sent
    async with awaited(parts, caller.user_id) as place, _incoming(parts) as incoming_key:
        form, received = await _receive(parts, request, incoming_key)
        words = _words(form)
        intent = await begin(parts, caller, route=ROUTE, key=key, said=_said(words, received))
        done = await _record(parts, intent, words, received, place, twins=duplicate != "allow")
    return accepted(response, done)


@asynccontextmanager
async def _incoming(parts: Parts) -> AsyncIterator[str]:
    """A key for the bytes on their way in; whatever was stored there is taken away at the end.

    Not while the store is away: the answer would wait for it once more, and housekeeping takes what is left.
    """
    key = f"incoming/{new_id()}/{secrets.token_hex(16)}"
    try:
        yield key
    except StoreUnavailable as error:
        _left(key, error)
        raise
    except BaseException:
        await _taken_away(parts, key)
        raise
    else:
        await _taken_away(parts, key)


async def _taken_away(parts: Parts, key: str) -> None:
    try:
        await parts.store.delete([key])
    except StoreError as error:
        _left(key, error)


def _left(key: str, error: StoreError) -> None:
    log.warning("incoming_object_left", object_key=key, error=type(error).__name__)


async def _receive(parts: Parts, request: Request, key: str) -> tuple[Form[Received], Received]:
    limit = parts.settings.limits.form_bytes

    async def keep(part: FilePart, chunks: AsyncIterator[bytes]) -> Received:
        content_type = picture_type(part.content_type, part.file_name)
        if content_type is None:
            await drain(request)
            raise UnsupportedMediaType(f"Accepted are {', '.join(sorted(ACCEPTED))}.")
        digest = hashlib.sha256()
        stored = await parts.store.put_stream(
            key, _hashing(chunks, digest.update), content_type=content_type, max_bytes=limit
        )
        return Received(info=stored, content_type=content_type, sha256=digest.hexdigest())

    try:
        form = await read_form(request, max_file_bytes=limit, allowed=WORDS, keep=keep)
    except ObjectTooLarge as error:
        await drain(request)
        raise too_large(limit) from error
    if form.file is None:
        raise invalid("body.file", "is missing")
    return form, form.file


async def _record(
    parts: Parts, intent: Intent, words: Words, received: Received, place: UUID, *, twins: bool
) -> Completed:
    """Puts the original in place, then says both events, the second once the first is acknowledged."""
    sealed = seal_json(
        parts.keys,
        user_id=intent.caller.user_id,
        key_id=intent.data_key_id,
        field="sealed_words",
        value=words.to_seal(),
    )
    event = decide(received, intent, sealed_words=sealed)
    ids = Ids.of(parts, event.upload_id)

    owner_id, info = event.owner_id, received.info
    known_by = Bytes(parts, owner_id, size=info.size, etag=info.etag, sha256=received.sha256)

    async def once() -> Completed:
        if (row := await applied(parts, intent, ids.event_id)) is not None:
            return Completed(asset_id=event.asset_id, job_id=ids.job_id, position=position_of(row))
        if twins and (twin := await twin_of(parts, owner_id, event.asset_id, known_by)) is not None:
            return twin
        async with promised(parts, owner_id, event.asset_id, info.size, instead_of=place):
            done = await _kept(parts, intent, event, received, ids)
        await note(parts, owner_id, known_by, done)
        return done

    return await parts.completions.run(ids.event_id, once)


async def _kept(
    parts: Parts, intent: Intent, event: UploadRequested, received: Received, ids: Ids
) -> Completed:
    grant = Grant.of(event, size=received.info.size, sha256=received.sha256)
    original = await copy_original(parts, grant, received.info)
    if original is None:
        raise StoreDown("The store lost what it had just taken.")
    await parts.log.append(event, metadata())
    return await append_completed(parts, grant, original, ids, door="form", request_hash=intent.request_hash)


def _words(form: Form[Received]) -> Words:
    file_name = form.part.file_name if form.part is not None else ""
    fields: dict[str, object] = {name: text for name, text in form.fields.items() if text}
    if "tags" in fields:
        fields["tags"] = split_tags(form.fields["tags"])
    return validated(Words, {"file_name": file_name, **fields})


def _said(words: Words, received: Received) -> bytes:
    said = {**words.to_seal(), "sha256": received.sha256, "content_type": received.content_type}
    return json.dumps(said, sort_keys=True).encode()


async def _hashing(chunks: AsyncIterator[bytes], update: Callable[[bytes], None]) -> AsyncIterator[bytes]:
    async for chunk in chunks:
        update(chunk)
        yield chunk
