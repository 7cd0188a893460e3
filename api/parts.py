"""What the doors are made of: every part of the outside world that they use, gathered once a program."""

from dataclasses import dataclass, field
from typing import cast

from starlette.requests import HTTPConnection

from adapters.clock import Clock, SystemClock
from adapters.dead_letters import LetterBox
from adapters.event_log import EventLog
from adapters.object_store import ObjectStore
from adapters.operations import PresetSets
from adapters.settings import Settings
from adapters.subject_keys import SubjectKeys
from adapters.telemetry import Metrics
from api.addresses import Addresses
from api.caller import Credentials
from api.commands.completed import Completed
from api.commands.once import Once
from api.identity import Identity
from api.limits.limiter import Limiter
from api.notifications.places import Places
from api.notifications.tickets import Tickets
from api.queries.past import Past
from api.queries.reads import Reads
from api.queries.run_reads import RunReads
from api.queries.work import Work
from api.quota.contents import Contents
from api.quota.protocol import Quotas
from api.read_cache import ReadCache
from api.tokens import Signer
from schemas.codec import Codec


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """Opened and closed by whoever made them; the doors only use them."""

    settings: Settings
    log: EventLog
    store: ObjectStore
    keys: SubjectKeys
    presets: PresetSets
    reads: Reads
    runs: RunReads
    work: Work
    past: Past
    letters: LetterBox
    codec: Codec
    cache: ReadCache
    credentials: Credentials
    identity: Identity
    limits: Limiter
    tickets: Tickets
    places: Places
    signer: Signer
    addresses: Addresses
    completions: Once[Completed]
    metrics: Metrics
    quotas: Quotas
    contents: Contents
    clock: Clock = field(default_factory=SystemClock)


def parts_of(connection: HTTPConnection) -> Parts:
    """The parts of the app that answers this request."""
    return cast("Parts", connection.app.state.parts)
