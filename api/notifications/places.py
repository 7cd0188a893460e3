"""Where the streams of each user are counted for all processes: the Protocol, Postgres, and the twin.

Each process says how many streams of a user it holds, and has one lease for all that it says: keeping
thousands of silent streams costs one row now and then, and who died is believed no more once its lease ends.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol
from uuid import UUID

from adapters.clock import new_id
from adapters.read_store import Pool
from projections.statements import statements

# A process that died holds its places for so long, and one that is frozen for longer loses them.
LEASE_SECONDS: Final = 30.0
_SQL: Final = str(Path(__file__).with_name("places.sql"))


class Places(Protocol):
    """One process's part of the count; calls raise psycopg.Error where nobody can count.

    `said` numbers what the process says: of two words on one user the higher number counts, however they
    arrive.
    """

    async def renew(self) -> bool:
        """Holds the lease from now on; False where it had none: what it said before may be forgotten.

        Forgets as well what nobody holds any more.
        """
        ...

    async def take(self, owner_id: UUID, places: int, *, most: int, said: int) -> bool:
        """Says that this process holds so many, if together with all others they are at most `most`."""
        ...

    async def say(self, places: Mapping[UUID, int], *, said: int) -> None:
        """Says how many this process holds of each user."""
        ...

    async def leave(self) -> None:
        """Gives the lease up, and with it everything."""
        ...


class PostgresPlaces:
    """The Protocol over a pool of connections that others open and close; leases go by the server's clock."""

    def __init__(self, pool: Pool, *, lease: float = LEASE_SECONDS) -> None:
        self._pool = pool
        self._named = {"holder": new_id(), "seconds": lease}

    async def renew(self) -> bool:
        """As the Protocol says."""
        queries = statements(_SQL)
        async with self._pool.connection() as conn:
            held = (await conn.execute(queries["renew"], self._named)).rowcount == 1
            if not held:
                await conn.execute(queries["begin"], self._named)
            await conn.execute(queries["sweep"], self._named)
        return held

    async def take(self, owner_id: UUID, places: int, *, most: int, said: int) -> bool:
        """As the Protocol says."""
        queries = statements(_SQL)
        given = self._named | {"owner_id": owner_id, "places": places, "most": most, "said": said}
        async with self._pool.connection() as conn, conn.transaction():
            # The lock in a statement of its own: what is read after it sees what its last holder wrote.
            await conn.execute(queries["lock"], given)
            return await (await conn.execute(queries["take"], given)).fetchone() is not None

    async def say(self, places: Mapping[UUID, int], *, said: int) -> None:
        """As the Protocol says."""
        given = self._named | {"owners": list(places), "places": list(places.values()), "said": said}
        async with self._pool.connection() as conn:
            await conn.execute(statements(_SQL)["say"], given)

    async def leave(self) -> None:
        """As the Protocol says."""
        async with self._pool.connection() as conn:
            await conn.execute(statements(_SQL)["leave"], self._named)


@dataclass(slots=True)
class PlaceBook:
    """What processes of a test share: each one's lease, and (places, said) of each user and process."""

    now: Callable[[], float] = time.monotonic
    leases: dict[UUID, float] = field(default_factory=dict)
    places: dict[tuple[UUID, UUID], tuple[int, int]] = field(default_factory=dict)

    def lives(self, holder: UUID) -> bool:
        """Whether the process has a lease."""
        return self.leases.get(holder, 0.0) > self.now()


class InMemoryPlaces:
    """The twin for tests, and for one process alone."""

    def __init__(self, book: PlaceBook | None = None, *, lease: float = LEASE_SECONDS) -> None:
        self._book = book if book is not None else PlaceBook()
        self._lease = lease
        self._holder = new_id()

    async def renew(self) -> bool:
        """As the Protocol says."""
        book = self._book
        held = book.lives(self._holder)
        book.leases[self._holder] = book.now() + self._lease
        book.leases = {holder: until for holder, until in book.leases.items() if book.lives(holder)}
        book.places = {key: said for key, said in book.places.items() if said[0] and key[1] in book.leases}
        return held

    async def take(self, owner_id: UUID, places: int, *, most: int, said: int) -> bool:
        """As the Protocol says."""
        others = sum(
            held
            for (owner, holder), (held, _) in self._book.places.items()
            if owner == owner_id and holder != self._holder and self._book.lives(holder)
        )
        if places > most - others:
            return False
        await self.say({owner_id: places}, said=said)
        return True

    async def say(self, places: Mapping[UUID, int], *, said: int) -> None:
        """As the Protocol says."""
        for owner_id, held in places.items():
            _, before = self._book.places.get((owner_id, self._holder), (0, -1))
            if before < said:
                self._book.places[owner_id, self._holder] = (held, said)

    async def leave(self) -> None:
        """As the Protocol says."""
        self._book.leases.pop(self._holder, None)
        self._book.places = {key: said for key, said in self._book.places.items() if key[1] != self._holder}
