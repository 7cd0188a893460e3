"""Starts a Python program under another clock: whatever it asks for the time of day is so many seconds off.

Python runs this before the program where `PYTHONPATH` names this folder; `RIG_CLOCK_SKEW` is in seconds. It
reaches whatever asks Python; libraries that ask the system themselves (librdkafka, obstore) and durations
(`time.monotonic`) keep the true time. So does boto3 with `RIG_STORE_CLOCK=true`, as before a store that
looks at no clock.
"""

import datetime as dt
import os
import sys
import time
from datetime import datetime as _datetime
from typing import Self

_SKEW = float(os.environ["RIG_CLOCK_SKEW"])
_SPARED = "botocore" if os.environ.get("RIG_STORE_CLOCK") == "true" else None
_time, _time_ns = time.time, time.time_ns


class _OfAnyKind(type):
    """Moments that were made elsewhere, in C, are moments too."""

    def __instancecheck__(cls, value: object) -> bool:
        return isinstance(value, _datetime)

    def __subclasscheck__(cls, kind: type) -> bool:
        return issubclass(kind, _datetime)


class _Skewed(_datetime, metaclass=_OfAnyKind):
    """The class `datetime`, except for what it takes the present for; of the same size, as C wants it."""

    __slots__ = ()

    @classmethod
    def now(cls, tz: dt.tzinfo | None = None) -> Self:
        asks: str = sys._getframe(1).f_globals.get("__name__", "").partition(".")[0]
        return cls.fromtimestamp(_time() if asks == _SPARED else time.time(), tz)

    @classmethod
    def today(cls) -> Self:
        return cls.now()

    @classmethod
    def utcnow(cls) -> Self:
        return cls.now(dt.UTC).replace(tzinfo=None)


_Skewed.__name__ = _Skewed.__qualname__ = "datetime"
_Skewed.__module__ = "datetime"
time.time = lambda: _time() + _SKEW
time.time_ns = lambda: _time_ns() + round(_SKEW * 1e9)
dt.datetime = _Skewed  # type: ignore[misc]
