"""How a consumer may come to see a log."""

from hypothesis import strategies as st

from projections.records import Record
from tests.unit.projections.stories import PlainLog


def mixed(data: st.DataObject, log: PlainLog, *, most: int) -> list[list[Record]]:
    """Its records in batches of up to `most`: in order within partitions, cut anywhere."""
    turns = data.draw(st.permutations([number for number, part in enumerate(log.partitions) for _ in part]))
    queues = [iter(part) for part in log.partitions]
    records = [next(queues[number]) for number in turns]
    batches: list[list[Record]] = []
    while records:
        size = data.draw(st.integers(1, most))
        batches.append(records[:size])
        records = records[size:]
    return batches
