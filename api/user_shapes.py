"""Accounts and all that belongs to them, as the doors show them: named fields, and no more."""

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Annotated, Any, Final, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field

from api.actors import Actor, actor_of
from projections.accounts.queries import AccountRow
from projections.api_keys.queries import ApiKeyRow
from projections.audit.queries import AuditRow
from projections.checkpoints import LoopName
from projections.erasures.queries import ErasureRow
from projections.sessions.queries import SessionRow
from schemas.identity import Role
from schemas.positions import Position

Id = Annotated[UUID, Field(examples=["0199a8e4-7c1d-8b6e-9f00-2f5a6f1f8e11"])]

# What is told of an event beside its type; a new fact is told only once it stands here.
_TOLD: Final = frozenset(
    {
        "role",
        "kind",
        "generation",
        "scopes",
        "erasure_id",
        "status",
        "method",
        "content_type",
        "size",
        "lane",
        "attempt",
        "variants",
        "format",
        "retryable",
        "will_retry",
        "reason",
        "run_id",
        "changed",
        "link_id",
        "variant",
        "component",
    }
)
_ABOUT: Final[Mapping[LoopName, Literal["account", "asset", "workers"]]] = MappingProxyType(
    {"identity": "account", "assets": "asset", "operations": "workers"}
)
_CONFIG: Final = ConfigDict(frozen=True)


class User(BaseModel):
    """Somebody with an account."""

    model_config = _CONFIG

    id: Id
    email: Annotated[str | None, Field(examples=["ada@example.org"])]
    role: Annotated[str, Field(examples=["user"])]
    version: Annotated[int, Field(description="Counts changes of password and role.", examples=[1])]
    registered_at: datetime


class UserPage(BaseModel):
    """A page of them."""

    model_config = _CONFIG

    items: tuple[User, ...]
    next_cursor: str | None


class Me(BaseModel):
    """Who is calling; `email` and `registered_at` are null for machines."""

    model_config = _CONFIG

    user_id: Id
    email: Annotated[str | None, Field(examples=["ada@example.org"])]
    role: Annotated[Role, Field(examples=["user"])]
    scopes: Annotated[tuple[str, ...], Field(description="Of the API key; empty means all.", examples=[[]])]
    session_id: UUID | None
    registered_at: datetime | None


class Session(BaseModel):
    """One device on which somebody is logged in."""

    model_config = _CONFIG

    id: Id
    current: Annotated[bool, Field(description="Whether it is the one that asks.")]
    started_at: datetime
    refreshed_at: datetime | None
    expires_at: datetime


class SessionList(BaseModel):
    """All of them, newest first."""

    model_config = _CONFIG

    items: tuple[Session, ...]


class ApiKey(BaseModel):
    """An API key, without its secret, which nobody has any more."""

    model_config = _CONFIG

    id: Id
    prefix: Annotated[str, Field(examples=["mfrggzdf"])]
    name: Annotated[str | None, Field(examples=["nightly backup"])]
    scopes: Annotated[tuple[str, ...], Field(examples=[["assets:read"]])]
    created_at: datetime
    expires_at: datetime | None
    last_used_at: Annotated[datetime | None, Field(description="Within some ten seconds.")]


class ApiKeyList(BaseModel):
    """All that are not revoked, newest first."""

    model_config = _CONFIG

    items: tuple[ApiKey, ...]


class Erasure(BaseModel):
    """How far an erasure is; the receipt says, signed, that nothing readable is left."""

    model_config = _CONFIG

    id: Id
    status: Annotated[Literal["running", "completed"], Field(examples=["completed"])]
    requested_at: datetime
    completed_at: datetime | None
    receipt: Annotated[
        str | None, Field(description="A compact JWS (EdDSA).", examples=["eyJhbGciOiJFZERTQSJ9…"])
    ]


class AuditEntry(BaseModel):
    """One thing done to an account, an asset or the workers, or tried: who, what, to which, and when."""

    model_config = _CONFIG

    event_id: Id
    action: Annotated[str, Field(examples=["RoleChanged"])]
    by: Annotated[Actor, Field(description="Who did it, in the word of an asset's history.")]
    actor: Annotated[
        UUID | None, Field(description="Which person; null for what a worker or the system did.")
    ]
    about: Annotated[
        Literal["account", "asset", "workers"],
        Field(description="What the subject is.", examples=["account"]),
    ]
    subject: Annotated[UUID | None, Field(description="null for workers: `changed` names their component.")]
    owner: Annotated[UUID | None, Field(description="Whose account or asset it is.")]
    accepted: Annotated[bool, Field(description="Whether the log's order let it happen.")]
    code: Annotated[str | None, Field(examples=["logout"])]
    session_id: UUID | None
    key_id: UUID | None
    job_id: UUID | None
    changed: Annotated[dict[str, Any], Field(description="Codes only.", examples=[{"role": "admin"}])]
    time: Annotated[datetime, Field(description="The log's own.")]
    position: Annotated[str, Field(examples=["ZGFya3Jvb20"])]
    request_id: UUID | None


class AuditPage(BaseModel):
    """A page of what happened, newest first."""

    model_config = _CONFIG

    items: tuple[AuditEntry, ...]
    next_cursor: str | None


def user_shape(row: AccountRow) -> User:
    """An account as its person and administrators see it."""
    return User(
        id=row.user_id,
        email=row.address,
        role=row.role,
        version=row.version,
        registered_at=row.registered_at,
    )


def session_shape(row: SessionRow, current: UUID) -> Session:
    """A session as its person sees it."""
    return Session(
        id=row.session_id,
        current=row.session_id == current,
        started_at=row.started_at,
        refreshed_at=row.refreshed_at,
        expires_at=row.expires_at,
    )


def key_shape(row: ApiKeyRow, last_used_at: datetime | None) -> ApiKey:
    """A key as its person sees it."""
    return ApiKey(
        id=row.key_id,
        prefix=row.prefix,
        name=row.name,
        scopes=row.scopes,
        created_at=row.issued_at,
        expires_at=row.expires_at,
        last_used_at=last_used_at,
    )


def erasure_shape(row: ErasureRow) -> Erasure:
    """An erasure as whoever knows its id sees it."""
    return Erasure(
        id=row.erasure_id,
        status="completed" if row.completed_at is not None else "running",
        requested_at=row.requested_at,
        completed_at=row.completed_at,
        receipt=row.receipt.decode("ascii", "replace") if row.receipt is not None else None,
    )


def audit_shape(row: AuditRow) -> AuditEntry:
    """A record of either log as auditors see it."""
    position = Position(topic=row.topic, partition=row.partition, offset=row.offset)
    data: Mapping[str, Any] = MappingProxyType(row.data)
    by = actor_of(row.event_type, row.code, row.actor_id, row.owner_id)
    return AuditEntry(
        event_id=row.event_id,
        action=row.event_type,
        by=by,
        actor=row.actor_id if by in {"owner", "administrator"} else None,
        about=_ABOUT[row.log],
        subject=row.subject_id,
        owner=row.owner_id,
        accepted=row.accepted,
        code=row.code,
        session_id=row.session_id,
        key_id=row.key_id,
        job_id=row.job_id,
        changed={name: value for name, value in data.items() if name in _TOLD},
        time=row.log_time,
        position=position.token(),
        request_id=row.correlation_id,
    )
