"""What quotas promise: never more than the bounds, however many ask at once and wherever."""

from dataclasses import dataclass
from typing import Protocol
from uuid import UUID

from adapters.settings import QuotaSettings


@dataclass(frozen=True, slots=True, kw_only=True)
class Used:
    """What counts against a user's bounds: `bytes` and `files` kept or promised, uploads under way."""

    bytes: int = 0
    files: int = 0
    uploads: int = 0

    def __add__(self, other: "Used") -> "Used":
        """Both together."""
        return Used(
            bytes=self.bytes + other.bytes,
            files=self.files + other.files,
            uploads=self.uploads + other.uploads,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """What is left of each bound; None where there is none."""

    bytes: int | None
    files: int | None
    uploads: int | None

    @classmethod
    def beside(cls, used: Used, bounds: QuotaSettings) -> "Room":
        """What the bounds leave beside what is used; never below nothing."""
        return cls(
            bytes=_left(bounds.bytes, used.bytes),
            files=_left(bounds.files, used.files),
            uploads=_left(bounds.uploads, used.uploads),
        )

    def keeps(self, size: int) -> bool:
        """Whether there is room for one more file of so many bytes."""
        return (self.bytes is None or size <= self.bytes) and (self.files is None or self.files > 0)

    def carries(self) -> bool:
        """Whether one more upload may be under way."""
        return self.uploads is None or self.uploads > 0


def _left(bound: int | None, used: int) -> int | None:
    return None if bound is None else max(0, bound - used)


class NoRoom(Exception):
    """A bound is reached; `room` is what is left."""

    def __init__(self, room: Room) -> None:
        super().__init__("no room")
        self.room = room


class TooManyUnderWay(NoRoom):
    """There are as many uploads under way as may be."""


class Quotas(Protocol):
    """Promises room to uploads. A promise ends by itself when the read models have heard of the asset: from
    then on they count it, until it is expired, aborted or purged.
    """

    async def reserve(
        self, owner_id: UUID, asset_id: UUID, size: int, *, instead_of: UUID | None = None
    ) -> None:
        """Promises room for a file of so many bytes; for the same asset again it is the same promise.

        `instead_of` is a promise that ends with this one. Raises NoRoom, TooManyUnderWay, and
        psycopg.OperationalError where nobody can count.
        """
        ...

    async def release(self, asset_id: UUID) -> None:
        """Takes a promise back of which nothing came; never raises."""
        ...


def admit(used: Used, bounds: QuotaSettings, size: int) -> None:
    """Raises NoRoom or TooManyUnderWay unless one more file of so many bytes may come."""
    room = Room.beside(used, bounds)
    if not room.keeps(size):
        raise NoRoom(room)
    if not room.carries():
        raise TooManyUnderWay(room)
