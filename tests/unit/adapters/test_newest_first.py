"""Letters out of several partitions, newest first, in pages that leave none out."""

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from adapters.dead_letters.letters import Letter
from adapters.dead_letters.newest_first import Windows, newest_first
from adapters.dead_letters.protocol import Reason
from schemas.envelope import RawRecord

NOW = datetime(2026, 1, 1, tzinfo=UTC)
RECORD = RawRecord(topic="t", partition=0, offset=0, timestamp_ms=0, key=b"", value=b"", headers=())
REASON = Reason(component="c", code="c", error_kind="k", first_failed_at=NOW)


def letter(partition: int, offset: int, second: int) -> Letter:
    return Letter(
        partition=partition,
        offset=offset,
        written_at=datetime.fromtimestamp(second, UTC),
        record=RECORD,
        reason=REASON,
        said_value="0 bytes",
    )


@given(
    times=st.lists(st.lists(st.integers(1, 40), max_size=30).map(sorted), min_size=1, max_size=4),
    first=st.integers(0, 5),
    holes=st.sets(st.integers(0, 30)),
    limit=st.integers(1, 9),
    window=st.integers(1, 5),
    most=st.integers(1, 7),
)
def test_every_page_goes_on_where_the_last_ended(
    times: list[list[int]], first: int, holes: set[int], limit: int, window: int, most: int
) -> None:
    topic = {
        number: [letter(number, first + at, second) for at, second in enumerate(partition)]
        for number, partition in enumerate(times)
    }

    def read(windows: Windows) -> dict[int, list[Letter]]:
        return {
            number: [one for one in topic[number] if start <= one.offset < end and one.offset not in holes]
            for number, (start, end) in windows.items()
        }

    bounds = {number: (first, first + len(partition)) for number, partition in topic.items()}
    found: list[Letter] = []
    rest = {number: end for number, (_, end) in bounds.items()}
    while rest:
        narrowed = {number: (bounds[number][0], end) for number, end in rest.items()}
        page = newest_first(
            read,
            narrowed,
            lambda some: [one.offset % 2 == 0 for one in some],
            limit=limit,
            window=window,
            most=most,
        )
        assert len(page.letters) <= limit
        assert page.rest != rest
        found += page.letters
        rest = dict(page.rest)
    every = [one for partition in topic.values() for one in partition]
    wanted = [one for one in every if one.offset % 2 == 0 and one.offset not in holes]
    order = sorted(wanted, key=lambda one: (-one.written_at.timestamp(), one.partition, -one.offset))
    assert [(one.partition, one.offset) for one in found] == [(one.partition, one.offset) for one in order]
