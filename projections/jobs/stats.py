"""How the work goes as a whole: what waits, what was done, and how long both took."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from psycopg import AsyncConnection

from projections.statements import statements

_SQL: Final = "jobs/stats.sql"


@dataclass(frozen=True, slots=True, kw_only=True)
class LaneStats:
    """One lane: jobs by state, since when the oldest waits, and the last hour's.

    `done` counts the jobs that ended in the last hour. The quantiles, in seconds, are of those that
    completed: `waiting` from the asking to the start of the last attempt, `work` from there to the end. None
    where there were none.
    """

    lane: str
    states: dict[str, int]
    oldest_waiting: datetime | None
    done: int
    waiting_p50: float | None
    waiting_p95: float | None
    work_p50: float | None
    work_p95: float | None


async def job_stats(conn: AsyncConnection[Any], *, now: datetime) -> list[LaneStats]:
    """Each lane that ever had work, by name."""
    states: dict[str, dict[str, int]] = {}
    oldest: dict[str, datetime | None] = {}
    for lane, state, count, since in await (await conn.execute(statements(_SQL)["states"])).fetchall():
        states.setdefault(lane, {})[state] = count
        if state == "queued":
            oldest[lane] = since
    lately = {
        row[0]: row[1:]
        for row in await (await conn.execute(statements(_SQL)["lately"], {"now": now})).fetchall()
    }
    return [_lane(lane, states[lane], oldest.get(lane), lately.get(lane)) for lane in sorted(states)]


def _lane(
    lane: str, states: dict[str, int], oldest: datetime | None, lately: tuple[Any, ...] | None
) -> LaneStats:
    done, waiting, work = lately or (0, None, None)
    return LaneStats(
        lane=lane,
        states=states,
        oldest_waiting=oldest,
        done=done,
        waiting_p50=waiting and waiting[0],
        waiting_p95=waiting and waiting[1],
        work_p50=work and work[0],
        work_p95=work and work[1],
    )
