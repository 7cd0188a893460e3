"""How long ago something was, in as few letters as a table has room for."""

from datetime import datetime, timedelta

_UNITS = (
    ("d", timedelta(days=1)),
    ("h", timedelta(hours=1)),
    ("m", timedelta(minutes=1)),
    ("s", timedelta(seconds=1)),
)


def age(then: datetime, now: datetime) -> str:
    """The largest whole unit of the time between: 3d, 20h, 5m, 0s."""
    gone = max(now - then, timedelta())
    return next((f"{gone // unit}{name}" for name, unit in _UNITS if gone >= unit), "0s")
