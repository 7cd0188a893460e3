"""`python -m ops variants verify`: whether variants come out again as they stand, byte for byte."""

import asyncio
import json
from contextlib import closing
from typing import Annotated, Final, get_args
from uuid import UUID

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from adapters import read_store
from adapters.object_store import S3ObjectStore, StoreError
from adapters.settings import Settings, settings_or_exit
from adapters.telemetry import Metrics
from ops.sentences import in_sentences
from ops.variants.checking import Tools
from ops.variants.choosing import PostgresLibrary, Wanted
from ops.variants.saying import plain, tell
from ops.variants.verifying import Report, Verification
from ops.waiting import WRONG, Json, Wait, leave, quiet_logs
from processors.failures import Outage
from processors.imaging.contract import CONTENT_TYPES
from processors.retries import Retries
from processors.sandbox import SandboxUnavailable
from processors.variants.dependencies import sandbox_for
from schemas.asset_state import AssetStatus

app = typer.Typer(no_args_is_help=True, help="Variants: whether they come out again as they stand.")

_COMPONENT: Final = "variants-verify"
_DIFFERS: Final = 1
_HEX: Final = frozenset("0123456789abcdef")

Assets = Annotated[list[UUID] | None, typer.Argument(help="Assets; without any, all that have variants.")]
Owner = Annotated[UUID | None, typer.Option("--owner", help="Only this owner's.")]
Status = Annotated[str | None, typer.Option("--status", help="Only assets that are so: ready, failed, …")]
PresetSet = Annotated[
    str | None, typer.Option("--preset-set", help="Only sets by these presets: how their hash begins.")
]
Format = Annotated[str | None, typer.Option("--format", help="Only originals of it: jpeg, image/png, …")]
Most = Annotated[int | None, typer.Option("--max", min=1, help="So many assets at most.")]


@app.callback()
def variants() -> None:
    """Variants: whether they come out again as they stand."""


@app.command()
def verify(
    assets: Assets = None,
    owner: Owner = None,
    status: Status = None,
    preset_set: PresetSet = None,
    image_format: Format = None,
    most: Most = None,
    wait: Wait = 30.0,
    as_data: Json = False,
) -> None:
    """Render variants again by the presets that the log defines, and compare digests. Changes nothing.

    Exit code: 0 all are equal, 1 something differs, is missing or damaged, 2 a mistake in the command,
    3 nothing can be said: a server or the sandbox can't be reached.
    """
    quiet_logs()
    wanted = Wanted(
        asset_ids=tuple(assets or ()),
        owner_id=owner,
        status=_status(status),
        content_type=_content_type(image_format),
        preset_set=_beginning(preset_set),
        most=most,
    )
    if wanted.asset_ids and (owner or status or image_format):
        raise typer.BadParameter("name assets, or say whose, in what status and of what format they are")
    report = _reported(settings_or_exit(), wanted, wait=wait, quiet=as_data)
    if as_data:
        typer.echo(json.dumps(plain(report)))
    else:
        tell(report, Console())
    if not report.clean:
        raise typer.Exit(_DIFFERS)


def _reported(settings: Settings, wanted: Wanted, *, wait: float, quiet: bool) -> Report:
    """1 means here that something differs, so what can't be reached is 3."""
    try:
        with in_sentences(unreachable=WRONG):
            return asyncio.run(_verified(settings, wanted, wait=wait, quiet=quiet))
    except (Outage, StoreError) as error:
        leave(f"The store can't be read: {error}.", code=WRONG)
    except SandboxUnavailable as error:
        leave(f"There is no sandbox to render in: {error}.", code=WRONG)


async def _verified(settings: Settings, wanted: Wanted, *, wait: float, quiet: bool) -> Report:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    store = S3ObjectStore(settings.store, metrics=Metrics().store)
    try:
        with closing(read_store.connect(settings, _COMPONENT)) as conn:
            library = PostgresLibrary(conn)
            with Progress(*columns, console=Console(stderr=True), transient=True, disable=quiet) as progress:
                task = progress.add_task("assets verified", total=library.how_many(wanted))
                async with sandbox_for(settings, "bulk") as sandbox:
                    return await Verification(
                        library=library,
                        tools=Tools(store=store, renderer=sandbox, retries=lambda: _retries(wait)),
                        wanted=wanted,
                        at_once=settings.worker.children,
                        told=lambda: progress.advance(task),
                    ).report()
    finally:
        await store.close()


def _retries(seconds: float) -> Retries:
    return Retries(budget=seconds, retried=lambda _code, _tries: None)


def _status(text: str | None) -> str | None:
    known = get_args(AssetStatus)
    if text is not None and text not in known:
        raise typer.BadParameter(f"a status is one of {', '.join(known)}", param_hint="--status")
    return text


def _content_type(text: str | None) -> str | None:
    if text is None or text in CONTENT_TYPES.values():
        return text
    if text not in CONTENT_TYPES:
        raise typer.BadParameter(f"a format is one of {', '.join(CONTENT_TYPES)}", param_hint="--format")
    return CONTENT_TYPES[text]


def _beginning(text: str | None) -> str | None:
    if text is not None and not (text and set(text) <= _HEX):
        raise typer.BadParameter("a set's hash is of 0-9 and a-f", param_hint="--preset-set")
    return text
