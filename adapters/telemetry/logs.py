"""Structured logs: one JSON object a line on stdout, whoever speaks, with the ids of what it is about.

Ids are bound by `structlog.contextvars.bound_contextvars(request_id=…, asset_id=…, event_id=…, trace_id=…)`
and then stand in every line that is written inside.
"""

import json
import logging
import sys
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final, TextIO

import structlog

from adapters.settings import Settings
from adapters.telemetry.redaction import Redactor, secrets_of

# Libraries that tell a story of their own at INFO.
_TALKATIVE: Final = (
    "aiokafka",
    "boto3",
    "botocore",
    "faust",
    "mode",
    "urllib3",
    "asyncio",
    "yoyo",
    "httpx",
    "httpx2",
)
_FIRST: Final = ("time", "level", "component", "event")
_LEVELS: Final = logging.getLevelNamesMapping()


def configure_logs(component: str, settings: Settings, stream: TextIO | None = None) -> None:
    """From here on everything that this process logs, through structlog or logging, is a JSON line.

    A line holds `time` (UTC), `level`, `component`, `event`, the bound ids and what the call gave; secrets
    are hidden, control characters and all that is not ASCII escaped.
    """
    level = _LEVELS[settings.runtime.log_level.upper()]
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
            _naming(component),
            structlog.processors.StackInfoRenderer(),
            structlog.processors.format_exc_info,
            Redactor(secrets_of(settings)),
            _as_line,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(file=stream or sys.stdout),
        cache_logger_on_first_use=False,  # a logger made before this call must follow it
    )
    logging.captureWarnings(capture=True)
    logging.basicConfig(level=level, handlers=[_Bridge()], force=True)
    for name in _TALKATIVE:
        logging.getLogger(name).setLevel(max(level, logging.WARNING))


def _naming(component: str) -> Callable[..., MutableMapping[str, Any]]:
    def name(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
        event.setdefault("component", component)
        return event

    return name


def _as_line(_logger: object, _method: str, event: Mapping[str, Any]) -> str:
    ordered = {name: event[name] for name in _FIRST if name in event} | dict(event)
    # DEL is the one control character that JSON leaves as it is.
    return json.dumps(ordered, ensure_ascii=True, allow_nan=True, default=str).replace("\x7f", "\\u007f")


class _Bridge(logging.Handler):
    """Hands what libraries log to structlog, so that there is one format and one way out."""

    def emit(self, record: logging.LogRecord) -> None:
        """As logging.Handler says."""
        try:
            said = record.getMessage()
        except (TypeError, ValueError):  # a library's mistake in its format must not cost us the line
            said = str(record.msg)
        structlog.get_logger().log(record.levelno, said, logger=record.name, exc_info=record.exc_info or None)
