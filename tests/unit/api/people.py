"""People at the doors: they register, log in, and hold tokens."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import httpx

from adapters.sealing import seal_text
from schemas.envelope import Metadata
from schemas.events import IdentityEvent, PasswordChanged, RoleChanged
from tests.unit.api.doors import Stage

PASSWORD = "nine red lamps by the river"
OTHER = "seven blue boats on a lake"


@dataclass
class Person:
    """Somebody who is logged in, with the tokens that they were given last."""

    on: Stage
    email: str
    user_id: UUID
    access: str = field(repr=False)
    refresh: str = field(repr=False)

    def client(self, **headers: str) -> httpx.AsyncClient:
        return self.on.client(self.access, **headers)

    async def refreshed(self, token: str | None = None) -> httpx.Response:
        body = {"refresh_token": token or self.refresh}
        return await self.on.client(None).post("/v1/auth/refresh", json=body)


async def register(
    on: Stage, email: str = "ada@example.org", password: str = PASSWORD, **headers: str
) -> httpx.Response:
    body = {"email": email, "password": password}
    return await on.client(None, **headers).post("/v1/auth/register", json=body)


async def log_in(
    on: Stage, email: str = "ada@example.org", password: str = PASSWORD, **headers: str
) -> httpx.Response:
    body = {"email": email, "password": password}
    return await on.client(None, **headers).post("/v1/auth/login", json=body)


def person_of(on: Stage, answer: httpx.Response) -> Person:
    said: dict[str, Any] = answer.json()
    assert answer.status_code in {200, 201}, answer.text
    return Person(on, said["email"], UUID(said["user_id"]), said["access_token"], said["refresh_token"] or "")


async def erase(person: Person, said: Mapping[str, Any] | None = None, /, **headers: str) -> httpx.Response:
    """Asks to be forgotten, with the right password unless something else is `said`."""
    body = {"password": PASSWORD} if said is None else said
    return await person.client(**headers).request("DELETE", f"/v1/users/{person.user_id}", json=body)


async def somebody(on: Stage, email: str = "ada@example.org", *, role: str = "user") -> Person:
    """Registered, and for administrators: promoted and logged in again."""
    made = person_of(on, await register(on, email))
    if role == "user":
        return made
    await appended(on, await role_changed(on, made, role))
    return person_of(on, await log_in(on, email))


async def appended(on: Stage, event: IdentityEvent) -> None:
    """Said by another process than the one on this stage."""
    await on.log.append(event, Metadata(correlation_id=uuid4(), source="/test"))


async def role_changed(on: Stage, person: Person, role: str) -> RoleChanged:
    account = await on.accounts.by_user(person.user_id)
    assert account is not None
    return RoleChanged(
        event_id=uuid4(),
        occurred_at=on.clock.now(),
        account_key=account.account_key,
        user_id=person.user_id,
        actor_id=uuid4(),
        expected_version=account.version,
        role=role,
    )


async def password_changed(on: Stage, person: Person, version: int = 1) -> PasswordChanged:
    """To a password that nobody knows."""
    registered = next(event for event in told(on) if event.user_id == person.user_id)
    key_id = await on.keys.data_key(person.user_id)
    field = "sealed_password_hash"
    return PasswordChanged(
        event_id=uuid4(),
        occurred_at=on.clock.now(),
        account_key=registered.account_key,
        user_id=person.user_id,
        actor_id=person.user_id,
        expected_version=version,
        sealed_password_hash=seal_text(on.keys, user_id=person.user_id, key_id=key_id, field=field, text="x"),
        code="changed",
    )


def told(on: Stage) -> list[IdentityEvent]:
    """What the identity log holds."""
    return [event for event in on.log.events() if isinstance(event, IdentityEvent)]


def kinds(on: Stage) -> list[str]:
    return [type(event).__name__ for event in told(on)]


def is_problem(answer: httpx.Response, status: int, kind: str) -> dict[str, Any]:
    """Checks that it is this problem, whole (RFC 9457), and gives what it says."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    said: dict[str, Any] = answer.json()
    assert (said["type"], said["status"]) == (f"/problems/{kind}", status)
    assert said["title"]
    assert said["instance"] == answer.request.url.path
    UUID(answer.headers["x-request-id"])
    return said
