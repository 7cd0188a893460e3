"""Reads multipart forms as they arrive: one file, handed on in pieces, and a few short fields around it."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from dataclasses import dataclass, field
from typing import Final, Generic, TypeVar

from fastapi import Request
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from api.bodies import drain, refuse_declared, require_type, too_large
from api.problems import MalformedRequest, TooSlow, invalid

_T = TypeVar("_T")

FILE_FIELD: Final = "file"
# What stands around the file: boundaries, headers and the longest words there may be, in UTF-8.
AROUND_BYTES: Final = 128_000
MAX_FIELD_BYTES: Final = 24_000
MAX_HEADERS: Final = 8
MAX_HEADER_BYTES: Final = 4096
# A phone in a tunnel pauses for seconds; a client that sends a byte now and then only holds the connection.
IDLE_SECONDS: Final = 15.0
SLOWEST_BYTES_PER_SECOND: Final = 4_000
SLOW_START_SECONDS: Final = 20.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FilePart:
    """The file's own header: its name and declared type as they were sent."""

    file_name: str
    content_type: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[_T]):
    """A form read to its end: its short fields, and what became of the file (None: there was none)."""

    fields: dict[str, str]
    part: FilePart | None
    file: _T | None


@dataclass(slots=True)
class _Part:
    headers: dict[str, str] = field(default_factory=dict)
    name: bytearray = field(default_factory=bytearray)
    value: bytearray = field(default_factory=bytearray)


@dataclass(frozen=True, slots=True)
class _Begun:
    headers: dict[str, str]


class _Ended:
    """A part is over."""


_Token = _Begun | _Ended | bytes
Keep = Callable[[FilePart, AsyncIterator[bytes]], Awaitable[_T]]


async def read_form(
    request: Request, *, max_file_bytes: int, allowed: Collection[str], keep: Keep[_T]
) -> Form[_T]:
    """Reads the form; `keep` is called once, when the file begins, with its bytes as they come.

    Memory stays bounded by the pieces in hand. Raises the problems MalformedRequest, TooLarge, TooSlow,
    UnsupportedMediaType and Invalid, and what `keep` raises. `allowed` names the short fields.
    """
    require_type(request, "multipart/form-data")
    limit = max_file_bytes + AROUND_BYTES
    await refuse_declared(request, limit)
    tokens = _tokens(request, _boundary(request), limit)
    fields: dict[str, str] = {}
    part: FilePart | None = None
    kept: _T | None = None
    async for token in tokens:
        assert isinstance(token, _Begun)  # noqa: S101 - the inner readers take all up to the part's end
        name, file_name = _disposition(token.headers)
        if name == FILE_FIELD and file_name is not None:
            if part is not None:
                raise invalid("body.file", "stands in the form twice")
            part = FilePart(file_name=file_name, content_type=token.headers.get("content-type", ""))
            kept = await keep(part, _until_end(tokens))
        elif name in allowed and name not in fields and file_name is None:
            fields[name] = await _text(name, tokens)
        else:
            raise invalid(f"body.{name[:100]}", "is no field of this form, or stands in it twice")
    return Form(fields=fields, part=part, file=kept)


async def _until_end(tokens: AsyncIterator[_Token]) -> AsyncIterator[bytes]:
    async for token in tokens:
        if not isinstance(token, bytes):
            return
        yield token


async def _text(name: str, tokens: AsyncIterator[_Token]) -> str:
    value = bytearray()
    async for piece in _until_end(tokens):
        value += piece
        if len(value) > MAX_FIELD_BYTES:
            raise invalid(f"body.{name}", "is too long")
    try:
        return value.decode()
    except UnicodeDecodeError as error:
        raise invalid(f"body.{name}", "is not UTF-8") from error


async def _tokens(request: Request, boundary: bytes, limit: int) -> AsyncIterator[_Token]:
    """What the form says, in order; raises MalformedRequest unless it ends as a form must."""
    found: list[_Token] = []
    parser, ended = _parser(boundary, found)
    async for chunk in _chunks(request, limit):
        try:
            parser.write(chunk)
        except FormParserError as error:
            raise MalformedRequest("The form is broken.") from error
        for token in found:
            yield token
        found.clear()
    if not ended:
        raise MalformedRequest("The form ends too early.")


def _parser(boundary: bytes, found: list[_Token]) -> tuple[MultipartParser, list[bool]]:
    part, ended = _Part(), list[bool]()

    def header_end() -> None:
        name = part.name.decode("latin-1").strip().lower()
        part.headers[name] = part.value.decode("utf-8", "replace")
        part.name.clear()
        part.value.clear()

    def headers_finished() -> None:
        found.append(_Begun(dict(part.headers)))
        part.headers.clear()

    parser = MultipartParser(
        boundary,
        {
            "on_header_field": lambda data, start, end: part.name.extend(data[start:end]),
            "on_header_value": lambda data, start, end: part.value.extend(data[start:end]),
            "on_header_end": header_end,
            "on_headers_finished": headers_finished,
            "on_part_data": lambda data, start, end: found.append(data[start:end]),
            "on_part_end": lambda: found.append(_Ended()),
            "on_end": lambda: ended.append(True),
        },
        max_header_count=MAX_HEADERS,
        max_header_size=MAX_HEADER_BYTES,
    )
    return parser, ended


async def _chunks(request: Request, limit: int) -> AsyncIterator[bytes]:
    """The body as it comes, as long as it comes fast enough and is not too long."""
    begun, size = time.monotonic(), 0
    stream = request.stream()
    while True:
        try:
            async with asyncio.timeout(IDLE_SECONDS):
                chunk = await anext(stream, None)
        except TimeoutError as error:
            raise TooSlow from error
        if chunk is None:
            return
        size += len(chunk)
        if size > limit:
            await drain(request)
            raise too_large(limit)
        lasted = time.monotonic() - begun
        if lasted > SLOW_START_SECONDS and size < lasted * SLOWEST_BYTES_PER_SECOND:
            raise TooSlow
        yield chunk


def _boundary(request: Request) -> bytes:
    _, options = parse_options_header(request.headers.get("content-type", ""))
    boundary = options.get(b"boundary", b"")
    if not 0 < len(boundary) <= 70:
        raise MalformedRequest("The form names no usable boundary.")
    return boundary


def _disposition(headers: dict[str, str]) -> tuple[str, str | None]:
    """The part's field name, and its file name where it is a file."""
    header = headers.get("content-disposition", "").encode("utf-8").decode("latin-1")
    kind, options = parse_options_header(header)
    if kind != b"form-data" or b"name" not in options:
        raise MalformedRequest("A part of the form has no name.")
    name = options[b"name"].decode("utf-8", "replace")
    file_name = options.get(b"filename")
    return name, None if file_name is None else file_name.decode("utf-8", "replace")
