"""The live stream's place in the description of the API, since FastAPI does not route it."""

from typing import Any, Final

from api.access import entering
from api.notifications.stream import PATH
from api.openapi import problems

_KINDS: Final = (
    "asset.uploaded",
    "asset.processing",
    "asset.ready",
    "asset.failed",
    "asset.updated",
    "asset.deleted",
    "job.queued",
    "job.retrying",
    "job.failed",
    "job.deleted",
    "reset",
    "reconnect",
)
_TEXT_OR_NULL: Final = {"type": ["string", "null"]}
_ENTRY: Final[dict[str, Any]] = {
    "type": "object",
    "description": "The `data` of each event; events are unnamed, so `onmessage` gets them all.",
    "required": ["type", "asset_id", "status", "title", "url", "timestamp", "position"],
    "properties": {
        "type": {"type": "string", "enum": list(_KINDS)},
        "asset_id": {"type": ["string", "null"], "format": "uuid"},
        "status": _TEXT_OR_NULL,
        "title": _TEXT_OR_NULL,
        "url": {**_TEXT_OR_NULL, "description": "The thumbnail's address, once there is one."},
        "timestamp": {"type": "string", "format": "date-time"},
        "position": {**_TEXT_OR_NULL, "description": "For `?after=` of other reads."},
    },
}
_EVENT: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One event of the stream.",
    "properties": {
        "id": {"type": "string"},
        "data": {"type": "string", "contentMediaType": "application/json", "contentSchema": _ENTRY},
    },
}
_DATA: Final = (
    '{"type":"asset.ready","asset_id":"0199a8e4-7c1d-7b6e-9f00-2f5a6f1f8e11","status":"ready",'
    '"title":"Harbour at noon","url":"https://store.example.org/photos/…","timestamp":"2026-05-17T08:09:10.000Z",'
    '"position":"ZGFya3Jvb20uYXNzZXRzLnYxOjE6MTc"}'
)
_EXAMPLE: Final = {"id": "MDo0MiwxOjE3", "data": _DATA}


def describe_stream() -> dict[str, dict[str, Any]]:
    """The path item of the stream."""
    return {
        PATH: {
            "get": {
                "tags": ["live"],
                "summary": "Hear what happens to your assets, as it happens",
                "description": (
                    "Server-sent events. Every `id` stands for all that was said so far, also in heartbeats: "
                    "come back with it as `Last-Event-ID` (or `after`) and nothing is missed and nothing "
                    "comes twice. `reset` means that too much was missed: read your list again. "
                    "An EventSource can send no Authorization: POST /v1/notifications/session gives its page "
                    "a cookie, POST /v1/notifications/ticket a `ticket`."
                ),
                "operationId": "stream_notifications",
                **entering("assets:read"),
                "parameters": [
                    _parameter("Last-Event-ID", "header", "The last `id` that was heard."),
                    _parameter("after", "query", "The same, or a write's `Darkroom-Position`."),
                    _parameter("ticket", "query", "Instead of a credential: a ticket, good for one stream."),
                ],
                "responses": {
                    "200": {
                        "description": "The stream.",
                        "content": {
                            "text/event-stream": {
                                "schema": _EVENT,
                                "example": _EXAMPLE,
                            }
                        },
                    },
                    **{str(status): answer for status, answer in problems(401, 403, 429, 503).items()},
                },
            }
        }
    }


def _parameter(name: str, place: str, description: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": place,
        "required": False,
        "description": description,
        "schema": {"type": "string"},
    }
