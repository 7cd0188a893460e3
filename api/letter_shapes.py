"""How dead letters look to operators."""

from datetime import datetime
from typing import Annotated
from uuid import UUID

from pydantic import Field

from api.job_shapes import JobAsked
from api.letters import Standing
from api.representations import Shape


class DeadLetter(Shape):
    """A record that was given up: where it stands, by whom and why, and what hangs on it."""

    id: Annotated[str, Field(description="Of the letter.", examples=["3-17"])]
    component: Annotated[str, Field(description="Who gave it up.", examples=["variants"])]
    code: Annotated[str, Field(examples=["unexpected_error"])]
    error_kind: Annotated[str, Field(examples=["internal"])]
    stack_hash: Annotated[str | None, Field(description="Tells one bug from another.")]
    encoder: Annotated[str | None, Field(description="What the component renders with.")]
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime | None
    written_at: datetime
    topic: Annotated[str, Field(examples=["darkroom.assets.v1"])]
    partition: int
    offset: int
    key: Annotated[str | None, Field(description="Bytes that are no text look like \\xff.")]
    event_type: Annotated[str | None, Field(examples=["darkroom.assets.UploadCompleted"])]
    event_id: str | None
    value: Annotated[str, Field(description="How long it is, or null.", examples=["512 bytes"])]
    state: Annotated[
        str,
        Field(
            description="holding: the later records of its key wait behind it. failed: its job failed and "
            "nothing was asked for since. over: nothing hangs on it any more.",
            json_schema_extra={"enum": ["holding", "failed", "over"]},
            examples=["failed"],
        ),
    ]
    waiting: Annotated[int | None, Field(description="holding: so many records wait, itself among them.")]
    redrives: Annotated[int | None, Field(description="holding: so often it was read again in vain.")]
    job_id: Annotated[UUID | None, Field(description="The job that was given up.")]


class DeadLetterPage(Shape):
    """Some dead letters, newest first. A page may be short with more to come."""

    items: tuple[DeadLetter, ...]
    next_cursor: Annotated[str | None, Field(description="For ?cursor= ; null on the last page.")]


class Redriven(Shape):
    """What a redrive sets going."""

    records: Annotated[
        int | None, Field(description="So many records are read again, in their order, within seconds.")
    ]
    job: Annotated[JobAsked | None, Field(description="The job that was asked for.")]


def letter_shape(standing: Standing) -> DeadLetter:
    """A letter as operators see it; nothing of the record's value."""
    letter, held = standing.letter, standing.held
    reason, record, headers = letter.reason, letter.record, letter.headers
    return DeadLetter(
        id=letter.letter_id,
        component=reason.component,
        code=reason.code,
        error_kind=reason.error_kind,
        stack_hash=reason.stack_hash,
        encoder=reason.encoder,
        attempts=reason.attempts,
        first_failed_at=reason.first_failed_at,
        last_failed_at=reason.last_failed_at,
        written_at=letter.written_at,
        topic=record.topic,
        partition=record.partition,
        offset=record.offset,
        key=None if record.key is None else record.key.decode("utf-8", "backslashreplace")[:200],
        event_type=headers.get("ce_type"),
        event_id=headers.get("ce_id"),
        value=letter.said_value,
        state=standing.state,
        waiting=held.waiting if held is not None else None,
        redrives=held.redrives if held is not None else None,
        job_id=standing.job_id,
    )
