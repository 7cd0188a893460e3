"""What parent and child say to each other: small JSON texts, and every word of a child doubted."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from dataclasses import fields as fields_of
from datetime import datetime
from functools import cache, lru_cache
from typing import assert_never, cast

from processors.imaging.contract import (
    CONTENT_TYPES,
    MAX_SIDE,
    PROFILES,
    REFUSAL_CODES,
    Cost,
    Facts,
    Limits,
    Preset,
    RefusalCode,
    Source,
    Variant,
)
from processors.imaging.plain_json import cleaned, safe_text

# A SOCK_SEQPACKET message is whole or not at all; metadata is the largest part of one and is capped.
MAX_MESSAGE = 128 * 1024
_DIGEST = re.compile(r"[0-9a-f]{64}")
_MAX_THUMBHASH = 64


class Garbled(Exception):
    """A child answered with something that no child of ours says; it is not to be trusted any more."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One job: how many bytes of the input file are the picture, and what is wanted of it."""

    size: int
    presets: tuple[Preset, ...]
    limits: Limits
    expected_sha256: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """The variants lie in the output file."""

    source: Source
    variants: tuple[Variant, ...]
    facts: Facts
    cost: Cost


@dataclass(frozen=True, slots=True, kw_only=True)
class Declined:
    """The picture was refused."""

    code: RefusalCode


@dataclass(frozen=True, slots=True, kw_only=True)
class NoMemory:
    """An allocation failed at the address space limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """Code of ours raised; `where` names exception and line."""

    where: str


Reply = Made | Declined | NoMemory | Failed


def dump_request(request: Request) -> bytes:
    """A request as it is sent to a child."""
    fields = {
        "size": request.size,
        "wanted": _dump_wanted(request.presets, request.limits),
        "expected_sha256": request.expected_sha256,
    }
    return json.dumps(fields).encode()


def load_request(text: bytes) -> Request:
    """A request as the parent sent it (which is trusted)."""
    fields = json.loads(text)
    presets, limits = _load_wanted(fields["wanted"])
    return Request(
        size=fields["size"], presets=presets, limits=limits, expected_sha256=fields["expected_sha256"]
    )


@lru_cache(maxsize=64)
def _dump_wanted(presets: tuple[Preset, ...], limits: Limits) -> str:
    """What one request has in common with the next, as a text of its own."""
    return json.dumps({"presets": [asdict(preset) for preset in presets], "limits": asdict(limits)})


@lru_cache(maxsize=64)
def _load_wanted(text: str) -> tuple[tuple[Preset, ...], Limits]:
    fields = json.loads(text)
    presets = (Preset(**{**preset, "formats": tuple(preset["formats"])}) for preset in fields["presets"])
    return tuple(presets), Limits(**fields["limits"])


def dump_reply(reply: Reply) -> bytes:
    """A reply as it is sent to the parent."""
    match reply:
        case Made():
            taken_at = reply.facts.taken_at
            said = {
                "thumbhash": reply.facts.thumbhash.hex(),
                "taken_at": taken_at.isoformat() if taken_at else None,
            }
            fields = {
                "source": _flat(reply.source),
                "variants": [_flat(variant) for variant in reply.variants],
                "facts": _flat(reply.facts) | said,
                "cost": _flat(reply.cost),
            }
        case Declined() | NoMemory() | Failed():
            fields = asdict(reply)
        case _:
            assert_never(reply)
    return json.dumps({"kind": type(reply).__name__, **fields}).encode()


def _flat(row: Source | Variant | Facts | Cost) -> dict[str, object]:
    """A row as a dictionary; asdict would copy each value deeply, at ten times the cost."""
    kind: type = type(row)
    return {name: getattr(row, name) for name in _names_of(kind)}


@cache
def _names_of(row: type) -> tuple[str, ...]:
    return tuple(field.name for field in fields_of(row))


def load_reply(text: bytes, request: Request, written: int) -> Reply:
    """A child's reply to `request`, `written` bytes being in its output; raises Garbled over anything odd."""
    try:
        fields = json.loads(text)
        match fields["kind"]:
            case "Made":
                return _made(fields, request, written)
            case "Declined":
                return Declined(code=cast("RefusalCode", _one_of(fields["code"], REFUSAL_CODES)))
            case "NoMemory":
                return NoMemory()
            case "Failed":
                return Failed(where=safe_text(_text(fields["where"]), 200))
            case _:
                raise Garbled("unknown reply")
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Garbled(type(error).__name__) from error


def _made(fields: Mapping[str, object], request: Request, written: int) -> Made:
    variants = tuple(_variant(_fields(variant), written) for variant in _list(fields["variants"]))
    if [variant.name for variant in variants] != _names(request.presets):
        raise Garbled("other variants than were asked for")
    return Made(
        source=_source(_fields(fields["source"]), request),
        variants=variants,
        facts=_facts(_fields(fields["facts"])),
        cost=_cost(_fields(fields["cost"])),
    )


def _names(presets: Sequence[Preset]) -> list[str]:
    return [
        preset.name if wanted == "auto" else f"{preset.name}.{wanted}"
        for preset in presets
        for wanted in preset.formats
    ]


def _source(fields: Mapping[str, object], request: Request) -> Source:
    frames = _between(fields["frames"], 1, request.limits.max_frames)
    profile = fields["profile"]
    return Source(
        format=_one_of(fields["format"], CONTENT_TYPES),
        width=_between(fields["width"], 1, request.limits.max_pixels),
        height=_between(fields["height"], 1, request.limits.max_pixels),
        orientation=_between(fields["orientation"], 1, 8),
        frames=frames,
        animated=frames > 1,
        has_alpha=fields["has_alpha"] is True,
        profile=None if profile is None else _one_of(profile, PROFILES),
        size=request.size,
    )


def _variant(fields: Mapping[str, object], written: int) -> Variant:
    kind = _one_of(fields["format"], CONTENT_TYPES)
    offset = _between(fields["offset"], 0, written)
    return Variant(
        name=_text(fields["name"]),
        format=kind,
        content_type=CONTENT_TYPES[kind],
        width=_between(fields["width"], 1, MAX_SIDE),
        height=_between(fields["height"], 1, MAX_SIDE),
        size=_between(fields["size"], 1, written - offset),
        sha256=_digest(fields["sha256"]),
        offset=offset,
    )


def _facts(fields: Mapping[str, object]) -> Facts:
    taken_at, camera = fields["taken_at"], fields["camera"]
    thumbhash = bytes.fromhex(_text(fields["thumbhash"]))
    if len(thumbhash) > _MAX_THUMBHASH:
        raise Garbled("a thumbhash is short")
    return Facts(
        thumbhash=thumbhash,
        taken_at=None if taken_at is None else datetime.fromisoformat(_text(taken_at)).replace(tzinfo=None),
        camera=None if camera is None else safe_text(_text(camera)),
        sha256=_digest(fields["sha256"]),
        metadata=cleaned(_fields(fields["metadata"])),
    )


def _cost(fields: Mapping[str, object]) -> Cost:
    cpu_ms, wall_ms = fields["cpu_ms"], fields["wall_ms"]
    if not (
        isinstance(cpu_ms, float) and isinstance(wall_ms, float) and 0 <= cpu_ms < 1e9 and 0 <= wall_ms < 1e9
    ):
        raise Garbled("times are milliseconds")
    return Cost(cpu_ms=cpu_ms, wall_ms=wall_ms, peak_rss_kib=_between(fields["peak_rss_kib"], 0, 1 << 40))


def _fields(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise Garbled("not an object")
    return value


def _list(value: object) -> list[object]:
    if not isinstance(value, list):
        raise Garbled("not a list")
    return value


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise Garbled("not a text")
    return value


def _between(value: object, lowest: int, highest: int) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not lowest <= value <= highest:
        raise Garbled("not a number in its range")
    return value


def _one_of(value: object, known: Mapping[str, str] | frozenset[str]) -> str:
    if not isinstance(value, str) or value not in known:
        raise Garbled("not a known word")
    return value


def _digest(value: object) -> str:
    if not isinstance(value, str) or not _DIGEST.fullmatch(value):
        raise Garbled("not a digest")
    return value
