"""The labels of our metrics, each a function of its values; closed lists wherever a list can be closed."""

from typing import Literal

Verdict = Literal["acknowledged", "unavailable", "unknown", "too_large"]
StoreCall = Literal["put", "get", "head", "put_stream", "copy", "delete", "list", "parts"]
StoreEnd = Literal["ok", "missing", "precondition", "too_large", "refused", "unavailable", "cancelled"]
CacheAnswer = Literal["hit", "miss", "bypassed"]
Reservation = Literal["fresh", "repeated", "conflict"]
Door = Literal["form", "direct", "multipart"]
RecordOutcome = Literal["handled", "skipped", "dead_letter", "left"]
JobOutcome = Literal[
    "ready", "repeated", "refused", "exhausted", "unavailable", "internal", "interrupted", "skipped"
]
Stage = Literal["fetch", "render", "store", "append", "total"]
Dependency = Literal["store", "keys", "presets", "log", "registry", "postgres", "dead_letters"]
Direction = Literal["read", "written"]
TurnEnd = Literal["done", "outage", "bug"]
RateAnswer = Literal["granted", "exceeded", "unavailable"]
SecurityEvent = Literal[
    "access_refused",
    "account_erased",
    "account_registered",
    "api_key_issued",
    "api_key_revoked",
    "authentication_failed",
    "login_failed",
    "login_succeeded",
    "origin_refused",
    "password_changed",
    "rate_limited",
    "role_changed",
    "session_revoked",
    "token_forged",
    "token_reused",
    "unknown_host",
]


def by_verdict(verdict: Verdict) -> tuple[str, ...]:
    """How an append ended."""
    return (verdict,)


def by_store_call(call: StoreCall) -> tuple[str, ...]:
    """Which call to the store."""
    return (call,)


def by_store_end(call: StoreCall, end: StoreEnd) -> tuple[str, ...]:
    """Which call to the store, and how it ended."""
    return (call, end)


def by_route(method: str, route: str) -> tuple[str, ...]:
    """`route` is the template, never the path: paths hold ids."""
    return (method, route)


def by_route_and_status(method: str, route: str, status: int) -> tuple[str, ...]:
    """`route` is the template, never the path: paths hold ids."""
    return (method, route, str(status))


def by_problem(problem: str) -> tuple[str, ...]:
    """The last part of a problem's type."""
    return (problem,)


def by_door(door: Door) -> tuple[str, ...]:
    """By which way an upload came."""
    return (door,)


def by_reservation(outcome: Reservation) -> tuple[str, ...]:
    """What an Idempotency-Key met."""
    return (outcome,)


def by_cache_answer(outcome: CacheAnswer) -> tuple[str, ...]:
    """What a question to the read cache met; it is bypassed while changes can't be heard of."""
    return (outcome,)


def by_type(type: str) -> tuple[str, ...]:  # noqa: A002 - the label's name as its readers know it
    """An event type, or the type of an SSE entry."""
    return (type,)


def by_type_and_accepted(type: str, accepted: bool) -> tuple[str, ...]:  # noqa: A002 - as above
    """An event type, and whether the fold took it."""
    return (type, str(accepted).lower())


def by_reason(reason: str) -> tuple[str, ...]:
    """Why something ended; from a closed list of the caller's."""
    return (reason,)


def by_code(code: str) -> tuple[str, ...]:
    """A code of the catalogue (schemas.codes)."""
    return (code,)


def by_record_outcome(outcome: RecordOutcome) -> tuple[str, ...]:
    """What became of a record."""
    return (outcome,)


def by_job_outcome(outcome: JobOutcome) -> tuple[str, ...]:
    """What became of a job."""
    return (outcome,)


def by_stage(stage: Stage) -> tuple[str, ...]:
    """A part of a job."""
    return (stage,)


def by_dependency(dependency: Dependency) -> tuple[str, ...]:
    """What was away."""
    return (dependency,)


def by_direction(direction: Direction) -> tuple[str, ...]:
    """From the store or to it."""
    return (direction,)


def by_mode(mode: str) -> tuple[str, ...]:
    """How the sandbox confines its children."""
    return (mode,)


def by_topic(topic: str) -> tuple[str, ...]:
    """A topic of the log."""
    return (topic,)


def by_partition(topic: str, partition: int) -> tuple[str, ...]:
    """A partition of the log."""
    return (topic, str(partition))


def by_rate_answer(answer: RateAnswer) -> tuple[str, ...]:
    """What the shared counters said."""
    return (answer,)


def by_class(kind: str) -> tuple[str, ...]:
    """A class of requests that is counted apart; from a closed list of the doors'."""
    return (kind,)


def by_security_event(event: SecurityEvent) -> tuple[str, ...]:
    """What security wants to hear of."""
    return (event,)


def by_chore(chore: str) -> tuple[str, ...]:
    """A chore of the housekeeping."""
    return (chore,)


def by_turn(chore: str, end: TurnEnd) -> tuple[str, ...]:
    """A chore of the housekeeping, and how a turn of it ended."""
    return (chore, end)


def by_deed(chore: str, what: str) -> tuple[str, ...]:
    """A chore of the housekeeping, and a word of its own for what it did."""
    return (chore, what)


def by_loop(component: str, loop: str) -> tuple[str, ...]:
    """A program, and one of its loops."""
    return (component, loop)
