"""Reads JSON bodies within bounds of size and time, and validates them."""

import asyncio
from collections.abc import Mapping
from typing import Any, Final, TypeVar

from fastapi import Request
from pydantic import BaseModel, ValidationError
from starlette.requests import ClientDisconnect

from api.parts import parts_of
from api.problems import Invalid, MalformedRequest, TooLarge, TooSlow, UnsupportedMediaType
from api.strict_json import MalformedJson, parse

_M = TypeVar("_M", bound=BaseModel)

# A megabyte in this time is what the slowest phone manages; whoever needs longer is holding a connection.
JSON_SECONDS: Final = 15.0
# After a refusal the client is listened to for a while: a connection closed in its face loses the answer.
DRAIN_BYTES: Final = 8_000_000
DRAIN_SECONDS: Final = 2.0


async def read_json(request: Request, model: type[_M]) -> _M:
    """The request's JSON body as `model`; problems 400, 408, 413, 415 and 422."""
    limits = parts_of(request).settings.limits
    require_type(request, "application/json")
    data = await read_all(request, limits.json_bytes)
    try:
        value = parse(data, max_depth=limits.json_depth)
    except MalformedJson as error:
        raise MalformedRequest(f"The body is not acceptable as JSON: {error}.") from error
    return validated(model, value)


def validated(model: type[_M], value: object) -> _M:
    """The value as `model`; raises Invalid, which names each place and reason but repeats no value."""
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise Invalid(errors=[said(detail, "body") for detail in error.errors(include_url=False)]) from error


def said(detail: Mapping[str, Any], *root: str) -> dict[str, str]:
    """One validation error of pydantic's in our words: where, and why."""
    location = ".".join(str(part) for part in (*root, *detail["loc"]))
    return {"location": location[:200], "message": str(detail["msg"])[:300]}


def require_type(request: Request, expected: str) -> None:
    """Raises UnsupportedMediaType unless the body is of this type, in UTF-8 and not compressed."""
    given, _, parameters = request.headers.get("content-type", "").partition(";")
    if given.strip().lower() != expected:
        raise UnsupportedMediaType(f"Send {expected}.")
    if "charset" in parameters.lower() and "utf-8" not in parameters.lower():
        raise UnsupportedMediaType("Send UTF-8.")
    if request.headers.get("content-encoding", "identity").strip().lower() != "identity":
        raise UnsupportedMediaType("Send the body as it is, not compressed.")


async def read_all(request: Request, limit: int) -> bytes:
    """The whole body; raises TooLarge as soon as it is known to exceed `limit` bytes, TooSlow in time."""
    await refuse_declared(request, limit)
    data = bytearray()
    try:
        async with asyncio.timeout(JSON_SECONDS):
            async for chunk in request.stream():
                data += chunk
                if len(data) > limit:
                    await drain(request)
                    raise too_large(limit)
    except TimeoutError as error:
        raise TooSlow from error
    return bytes(data)


async def refuse_declared(request: Request, limit: int) -> None:
    """Raises TooLarge where Content-Length already says so."""
    declared = request.headers.get("content-length", "0")
    if not (declared.isascii() and declared.isdigit()):
        raise MalformedRequest("Content-Length is no number.")
    if len(declared) > 18 or int(declared) > limit:
        # Whoever asks before sending (Expect: 100-continue) has sent nothing that could be drained.
        if "expect" not in request.headers:
            await drain(request)
        raise too_large(limit)


def too_large(limit: int) -> TooLarge:
    """The refusal of a body of more than `limit` bytes; the connection ends with it."""
    return TooLarge(f"At most {limit:,} bytes are accepted.", headers={"Connection": "close"}, limit=limit)


async def drain(request: Request) -> None:
    """Reads on for a bounded time and size, so that the client is done sending when the answer comes."""
    left = DRAIN_BYTES
    try:
        async with asyncio.timeout(DRAIN_SECONDS):
            async for chunk in request.stream():
                left -= len(chunk)
                if left < 0:
                    return
    except (TimeoutError, ClientDisconnect):
        return
    except RuntimeError:  # Starlette's word for a body that was read to its end already
        return
