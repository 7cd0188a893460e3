"""What the hot path's errors mean to us, and how each call's end is counted."""

import asyncio
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from obstore.exceptions import (
    BaseError,
    PermissionDeniedError,
    PreconditionError,
    UnauthenticatedError,
)

from adapters.object_store.protocol import (
    ObjectMissing,
    ObjectTooLarge,
    PreconditionFailed,
    StoreError,
    StoreRefused,
    StoreUnavailable,
)
from adapters.telemetry.labels import StoreCall, StoreEnd
from adapters.telemetry.metrics import StoreMetrics

_CODE: Final = re.compile(r"<Code>(\w{1,60})</Code>")


def meaning(error: BaseError | FileNotFoundError | PermissionError, key: str) -> StoreError:
    """Our error for one of obstore's; the library's own text is full of addresses and stays out of it."""
    if "NoSuchBucket" in str(error):
        return StoreRefused("there is no such bucket")
    match error:
        case FileNotFoundError():
            return ObjectMissing(key)
        case PreconditionError():
            return PreconditionFailed(key)
        case PermissionDeniedError() | UnauthenticatedError() | PermissionError():
            said = _CODE.search(str(error))
            return StoreRefused(
                f"{key}: the store does not accept our credentials, or our clock",
                code=said.group(1) if said else None,
            )
        case _:
            return StoreUnavailable(f"{key}: {str(error).partition(chr(10))[0][:200]}")


@contextmanager
def watched(metrics: StoreMetrics, call: StoreCall, key: str) -> Iterator[None]:
    """Counts and times the call inside, and turns the library's errors into ours."""
    began = time.perf_counter()
    end: StoreEnd = "ok"
    try:
        yield
    except StoreError as error:
        end = _end(error)
        raise
    except (BaseError, FileNotFoundError, PermissionError) as error:
        ours = meaning(error, key)
        end = _end(ours)
        raise ours from error
    except asyncio.CancelledError:
        end = "cancelled"
        raise
    finally:
        metrics.call_seconds.of(call).observe(time.perf_counter() - began)
        metrics.calls.of(call, end).inc()


def _end(error: StoreError) -> StoreEnd:
    match error:
        case ObjectMissing():
            return "missing"
        case PreconditionFailed():
            return "precondition"
        case ObjectTooLarge():
            return "too_large"
        case StoreRefused():
            return "refused"
        case _:
            return "unavailable"
