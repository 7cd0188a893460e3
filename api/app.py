"""Puts the doors together: routes, problems, live streams and the layer around all of them."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from functools import cache
from typing import Final

from fastapi import FastAPI
from starlette.routing import BaseRoute, Route

from adapters.telemetry import Loops
from api import health, pages, rendering
from api.commands import (
    change_password,
    change_role,
    complete_upload,
    delete_asset,
    delete_job,
    discard,
    erase_user,
    issue_api_key,
    issue_link,
    log_in,
    log_out,
    multipart_abort,
    multipart_joining,
    multipart_parts,
    multipart_start,
    notification_session,
    notification_ticket,
    redrive,
    refresh,
    register,
    reprocess_asset,
    request_upload,
    restore_asset,
    resume_workers,
    retry_job,
    revoke_api_key,
    revoke_link,
    revoke_session,
    start_run,
    steer_run,
    update_asset,
    upload_form,
)
from api.credentials.denial_tail import DenialTail
from api.credentials.key_uses import KeyUses
from api.front import Front
from api.identity import measure
from api.notifications import stream
from api.notifications.describe import describe_stream
from api.notifications.held import HeldStreams
from api.notifications.hub import Hub
from api.notifications.tailer import Tailer
from api.openapi import describe
from api.own_paths import ask_first, close_to_others
from api.parts import Parts
from api.queries import (
    assets,
    audit,
    dead_letters,
    gallery,
    history,
    jobs,
    links,
    me,
    metadata,
    runs,
    standing,
    storage,
    usage,
    users,
)
from api.security_headers import security_headers

VERSION: Final = "0.1.0"
TAGS: Final = (
    {"name": "accounts", "description": "Register, log in, and what belongs to you."},
    {"name": "api keys", "description": "Let programs act for you."},
    {"name": "uploads", "description": "Bring a picture in: with one form, or straight to the store."},
    {"name": "assets", "description": "Your pictures, their variants, and how far they are."},
    {"name": "jobs", "description": "The work that is done on them."},
    {"name": "runs", "description": "Work on many assets at once, which no upload waits for."},
    {"name": "storage", "description": "What lies in the store, and what work has cost."},
    {"name": "live", "description": "What happens to them, as it happens."},
    {"name": "users", "description": "Everybody's accounts, for administrators; and erasure."},
    {"name": "health", "description": "For probes."},
)
BODIES: Final = (
    register.Register,
    log_in.LogIn,
    refresh.Refresh,
    change_password.ChangePassword,
    erase_user.EraseUser,
    issue_api_key.IssueApiKey,
    change_role.ChangeRole,
    request_upload.RequestUpload,
    complete_upload.CompleteUpload,
    update_asset.UpdateAsset,
    issue_link.IssueLink,
    multipart_joining.PartSent,
    multipart_parts.SignParts,
    start_run.StartRun,
)
ROUTES: Final = (
    # The router tries them in this order.
    gallery,
    assets,
    update_asset,
    delete_asset,
    restore_asset,
    reprocess_asset,
    history,
    metadata,
    issue_link,
    links,
    revoke_link,
    storage,
    usage,
    jobs,
    retry_job,
    delete_job,
    dead_letters,
    redrive,
    discard,
    resume_workers,
    request_upload,
    complete_upload,
    multipart_start,
    multipart_parts,
    multipart_abort,
    upload_form,
    me,
    register,
    log_in,
    refresh,
    log_out,
    change_password,
    revoke_session,
    issue_api_key,
    revoke_api_key,
    users,
    change_role,
    erase_user,
    audit,
    runs,
    start_run,
    steer_run,
    notification_session,
    notification_ticket,
    standing,
    health,
)
BUSY: Final = (gallery, assets, request_upload, complete_upload, upload_form)
"""What is asked most. Nobody else's paths could be theirs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Doors:
    """The application and what whoever runs it needs to hold of it."""

    asgi: Front
    fastapi: FastAPI
    hub: Hub
    probes: health.Probes


def create_app(parts: Parts, loops: Loops) -> Doors:
    """The doors over these parts. Nothing connects before the application's lifespan begins."""
    doors = parts.settings.doors
    sse = parts.metrics.sse
    held = HeldStreams(
        parts.places, most=doors.sse_streams_per_user, loop=loops.expect("held-streams", beats=False)
    )
    hub = Hub(streams_per_user=doors.sse_streams_per_user, queue=doors.sse_queue, metrics=sse, held=held)
    tailer = Tailer(
        topic=parts.settings.kafka.topics.assets,
        reads=parts.reads,
        hub=hub,
        addresses=parts.addresses,
        clock=parts.clock,
        metrics=sse,
        loop=loops.expect("activity-tailer"),
    )
    denials = DenialTail(
        parts.identity.accounts,
        parts.reads,
        parts.identity.denials,
        partitions=parts.settings.kafka.partitions,
        clock=parts.clock,
        loop=loops.expect("denial-tail"),
    )
    measure(parts.identity, parts.metrics.identity)
    probes = health.Probes(health.checks_of(parts), loops)
    app = described_app(shown=doors.docs)
    ask_first(app, [module.router for module in BUSY])
    app.router.lifespan_context = _lifespan(hub, held, tailer, denials, parts.identity.uses, loops)
    app.state.parts = parts
    app.state.probes = probes
    app.router.routes.append(Route(stream.PATH, stream.StreamDoor(hub, tailer), methods=["GET"]))
    if doors.docs:
        app.router.routes.extend(pages.routes())
    rendering.install(app, parts.metrics.http)
    front = Front(app, parts, security=security_headers(production=parts.settings.production))
    return Doors(asgi=front, fastapi=app, hub=hub, probes=probes)


def described_app(*, shown: bool = True) -> FastAPI:
    """All routes that the description knows, and the description itself if `shown`; no parts behind them."""
    app = FastAPI(
        title="Darkroom",
        version=VERSION,
        summary="A photograph in, every size out, its whole history kept.",
        license_info={"name": "MIT", "identifier": "MIT"},
        openapi_tags=[dict(tag) for tag in TAGS],
        docs_url=None,
        redoc_url=None,
        openapi_url=pages.DESCRIPTION if shown else None,
        redirect_slashes=False,
    )
    app.router.routes.extend(_included())
    close_to_others(app)
    app.openapi = describe(app, bodies=BODIES, paths=describe_stream())  # type: ignore[method-assign] # FastAPI's own way
    return app


@cache
def _included() -> tuple[BaseRoute, ...]:
    """Every module's routes, put together once: FastAPI works them out anew for each app with them."""
    app = FastAPI(openapi_url=None, generate_unique_id_function=lambda route: route.name)
    for module in ROUTES:
        app.include_router(module.router)
    return tuple(app.router.routes)


def _lifespan(
    hub: Hub, held: HeldStreams, tailer: Tailer, denials: DenialTail, uses: KeyUses, loops: Loops
) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        tailer.start()
        denials.start()
        uses.start(loops.expect("key-uses", beats=False))
        held.start()
        try:
            yield
        finally:
            hub.close()
            await tailer.close()
            await denials.close()
            await uses.close()
            await held.close()

    return lifespan
