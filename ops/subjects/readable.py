"""Looks for whatever of a person can still be read: in the log, the rows, the store, and a rebuild."""

from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, fields
from typing import Any, Final
from uuid import UUID

from confluent_kafka import Message
from psycopg import sql

from adapters import read_store
from adapters.object_store import S3ObjectStore
from adapters.sealing import SealBroken
from adapters.subject_keys import UnknownKey
from adapters.telemetry.metrics import Metrics
from ops.erasures import rows
from ops.subjects.key_records import key_places, records_of
from ops.subjects.opened import Opened
from processors.purge.removal import asset_prefix
from projections.statements import statements
from schemas import account, lifecycle
from schemas.decode_errors import DecodeError, UnknownEventType
from schemas.events import AssetEvent, Event, IdentityEvent, UploadRequested

_NOTHING_PERSONAL: Final = frozenset({"account_activity", "activity", "erasures"})
"""Tables that may name an erased person by id: they hold ids, codes and times alone."""


Told = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One place that was looked at: how many things there, and what of the person was found readable."""

    place: str
    looked_at: int
    found: tuple[str, ...]


@dataclass(slots=True)
class _Story:
    """What the log alone tells of the person: `assets` and `accounts` as a rebuild would fold them."""

    sealed: int = 0
    open: list[str] = field(default_factory=list)
    assets: dict[UUID, lifecycle.AssetState | None] = field(default_factory=dict)
    accounts: dict[str, account.AccountState | None] = field(default_factory=dict)
    incoming: dict[UUID, str] = field(default_factory=dict)


async def look(user_id: UUID, held: Opened, told: Told) -> list[Finding]:
    """All that is looked at, in order; `told` hears what is being read. Raises what the servers raise."""
    told("the logs")
    story = _read_logs(user_id, held)
    told("the key topic")
    places = key_places(held.settings.kafka, held.codec, [user_id])[user_id]
    living = held.custody.living(user_id)
    told("the read models and the store")
    findings = [
        Finding(place="log", looked_at=story.sealed, found=tuple(story.open)),
        Finding(
            place="keys",
            looked_at=len(held.custody.all_of(user_id)),
            found=tuple(f"key {key_id} is no marker" for key_id in living),
        ),
        Finding(
            place="key topic's segments",
            looked_at=len(places),
            found=tuple(f"a wrapped key stands at {each.partition}/{each.offset}" for each in places),
        ),
        _rebuild(user_id, story),
        _read_models(user_id, held),
    ]
    return [*findings, await _store(story, held)]


def _read_logs(user_id: UUID, held: Opened) -> _Story:
    story, topics = _Story(), held.settings.kafka.topics
    for topic in (topics.identity, topics.assets, topics.dead_letters):
        for message in records_of(held.settings.kafka, topic):
            for event in _decoded(message, held):
                theirs = user_id in {getattr(event, "owner_id", None), getattr(event, "user_id", None)}
                # Of accounts all are folded: whose one is, the lives before it decide.
                if topic != topics.dead_letters and (theirs or isinstance(event, IdentityEvent)):
                    _fold(story, event)
                if theirs:
                    _open(story, user_id, event, f"{topic}/{message.partition()}/{message.offset()}", held)
    return story


def _decoded(message: Message, held: Opened) -> Iterator[Event]:
    value = message.value()
    try:
        yield held.codec.decode(value if isinstance(value, bytes) else None)
    except (DecodeError, UnknownEventType):
        return


def _fold(story: _Story, event: Event) -> None:
    if isinstance(event, AssetEvent):
        if isinstance(event, UploadRequested):
            story.incoming[event.asset_id] = event.object_key
        state = story.assets.get(event.asset_id)
        story.assets[event.asset_id] = lifecycle.evolve(state, event)
    elif isinstance(event, IdentityEvent):
        known = story.accounts.get(event.account_key)
        story.accounts[event.account_key] = account.evolve(known, event)


def _open(story: _Story, user_id: UUID, event: Event, place: str, held: Opened) -> None:
    for each in fields(event):
        sealed = getattr(event, each.name)
        if not each.name.startswith("sealed_") or sealed is None:
            continue
        story.sealed += 1
        try:
            readable = held.keys.open(user_id, each.name, sealed) is not None
        except (UnknownKey, SealBroken):
            readable = False
        if readable:
            story.open.append(f"{type(event).__name__}.{each.name} at {place}")


def _rebuild(user_id: UUID, story: _Story) -> Finding:
    """What would come of read models that were made anew from the log."""
    assets = [
        f"asset {asset_id} is {state.status}"
        for asset_id, state in story.assets.items()
        if state is not None and state.purged_at is None
    ]
    lives = [
        "the account lives"
        for state in story.accounts.values()
        if state is not None and state.life is not None and state.life.user_id == user_id
    ]
    return Finding(
        place="rebuild", looked_at=len(story.assets) + len(story.accounts), found=(*assets, *lives)
    )


def _read_models(user_id: UUID, held: Opened) -> Finding:
    found, looked_at = list[str](), 0
    with closing(read_store.connect(held.settings)) as conn:
        conn.autocommit = True
        for table, column in conn.execute(statements(rows.SQL)["personal_columns"]).fetchall():
            looked_at += 1
            place = {"table": sql.Identifier("live", table), "column": sql.Identifier(column)}
            query = sql.SQL("select count(*) from {table} where {column} = %s").format(**place)
            count: Any = conn.execute(query, (user_id,)).fetchone()
            if count[0] and table not in _NOTHING_PERSONAL:
                found.append(f"{count[0]} rows of {table}")
        if soft := rows.soft_state(conn, [user_id], forget=False):
            found.append(f"{soft} rows of soft state")
    return Finding(place="read models", looked_at=looked_at, found=tuple(found))


async def _store(story: _Story, held: Opened) -> Finding:
    store, found = S3ObjectStore(held.settings.store, metrics=Metrics().store), list[str]()
    try:
        for asset_id in story.assets:
            found += [info.key async for info in store.list(asset_prefix(asset_id))]
            incoming = story.incoming.get(asset_id)
            if incoming is not None and await store.head(incoming) is not None:
                found.append(incoming)
    finally:
        await store.close()
    return Finding(place="store", looked_at=len(story.assets), found=tuple(found))
