"""What hangs on a dead letter, and the events by which it is done again or given up for good."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol
from uuid import UUID

from adapters.dead_letters import Letter
from adapters.owners import deterministic_id
from projections.dead_letters.queries import PROJECTOR, Held, Spot
from schemas.codes import Lane
from schemas.events import (
    AccountRecordDiscarded,
    Event,
    RecordDiscarded,
    UploadCompleted,
    VariantsRequested,
)
from schemas.identity import is_account_key
from schemas.scalars import uuid_from_text
from schemas.topics import Topics

State = Literal["holding", "failed", "over"]
"""holding: later records of its key wait behind it; failed: its job failed, and nothing came after; over."""


class Hanging(Protocol):
    """What is asked of the read models."""

    async def held(self, spots: Sequence[Spot]) -> dict[Spot, Held]: ...

    async def failed_jobs(self, job_ids: Sequence[UUID]) -> set[UUID]: ...

    async def said(self, event_ids: Sequence[UUID]) -> set[UUID]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """A letter and what hangs on it: the records held back behind it, or the job that failed."""

    letter: Letter
    state: State
    held: Held | None = None
    job_id: UUID | None = None


async def standings(hanging: Hanging, letters: Sequence[Letter], secret: bytes) -> list[Standing]:
    """What hangs on each letter now; raises psycopg.OperationalError."""
    spots = [spot_of(letter) for letter in letters if letter.reason.component == PROJECTOR]
    jobs = {letter.letter_id: job_id for letter in letters if (job_id := job_of(letter)) is not None}
    held = await hanging.held(spots) if spots else {}
    failed = await hanging.failed_jobs(list(jobs.values())) if jobs else set()
    dropped = await hanging.said([discard_id(letter, secret) for letter in letters]) if failed else set()

    def standing(letter: Letter) -> Standing:
        if letter.reason.component == PROJECTOR and (found := held.get(spot_of(letter))) is not None:
            return Standing(letter=letter, state="holding", held=found)
        job_id = jobs.get(letter.letter_id)
        if job_id in failed and discard_id(letter, secret) not in dropped:
            return Standing(letter=letter, state="failed", job_id=job_id)
        return Standing(letter=letter, state="over", job_id=job_id)

    return [standing(letter) for letter in letters]


def spot_of(letter: Letter) -> Spot:
    """Where the record stands that was given up."""
    return letter.record.topic, letter.record.partition, letter.record.offset


def job_of(letter: Letter) -> UUID | None:
    """The job that a processor gave up, as the record's headers name it; None for projectors' letters."""
    text = letter.headers.get("jobid")
    if letter.reason.component == PROJECTOR or text is None:
        return None
    try:
        return uuid_from_text(text)
    except ValueError:
        return None


def asset_of(letter: Letter) -> UUID | None:
    """The asset whose key the record has; None where it is no asset's."""
    try:
        return uuid_from_text((letter.record.key or b"").decode("latin-1"))
    except ValueError:
        return None


def cause_of(letter: Letter) -> UUID | None:
    """The event that was given up, where its header names it."""
    try:
        return uuid_from_text(letter.headers.get("ce_id", ""))
    except ValueError:
        return None


def discard_id(letter: Letter, secret: bytes) -> UUID:
    """The id of the event that gives this record up: said twice it is the same event."""
    topic, partition, offset = spot_of(letter)
    return deterministic_id(secret, "discarded", letter.reason.component, topic, str(partition), str(offset))


def discard_of(
    letter: Letter, topics: Topics, *, event_id: UUID, now: datetime, actor_id: UUID
) -> RecordDiscarded | AccountRecordDiscarded | None:
    """The event, in the record's own log under its key; None where the key is nobody's there."""
    topic, partition, offset = spot_of(letter)
    text = (letter.record.key or b"").decode("latin-1")
    if topic == topics.identity and is_account_key(text):
        return AccountRecordDiscarded(
            event_id=event_id,
            occurred_at=now,
            account_key=text,
            actor_id=actor_id,
            topic=topic,
            partition=partition,
            offset=offset,
            component=letter.reason.component,
        )
    asset_id = asset_of(letter)
    if topic != topics.assets or asset_id is None:
        return None
    return RecordDiscarded(
        event_id=event_id,
        occurred_at=now,
        asset_id=asset_id,
        actor_id=actor_id,
        topic=topic,
        partition=partition,
        offset=offset,
        component=letter.reason.component,
    )


def redrive_of(
    letter: Letter,
    decode: Callable[[bytes | None], Event],
    secret: bytes,
    *,
    rounds: int,
    now: datetime,
    actor_id: UUID,
) -> VariantsRequested | None:
    """The request that does a processor's letter again, its ids made of the record and the round.

    None where the record asked for no variants. Raises DecodeError, UnknownEventType.
    """
    event = decode(letter.record.value)
    if not isinstance(event, UploadCompleted | VariantsRequested):
        return None
    names = (*map(str, spot_of(letter)), str(rounds))
    lane: Lane = "bulk" if event.lane == "bulk" else "live"
    return VariantsRequested(
        event_id=deterministic_id(secret, "redrive", *names),
        occurred_at=now,
        asset_id=event.asset_id,
        owner_id=event.owner_id,
        actor_id=actor_id,
        job_id=deterministic_id(secret, "redrive-job", *names),
        lane=lane,
        reason="redrive",
        object_key=event.object_key,
        size=event.size,
        sealed_digests=event.sealed_digests,
        data_key_id=event.data_key_id,
        preset_set=event.preset_set,
    )
