"""What the event log makes of errors that a broker says: waited out, refused for good, or survived."""

from collections import Counter
from collections.abc import AsyncIterator, Iterator

import pytest
from confluent_kafka import KafkaError

from adapters.event_log import AppendFailed, KafkaEventLog, RecordTooLarge
from adapters.settings import KafkaSettings
from adapters.telemetry import Metrics
from adapters.topics import specs_of
from schemas.codec import Codec
from schemas.events import UploadRequested
from schemas.positions import Position
from tests.contract.appending import recovered
from tests.contract.ground import metadata, read, upload_requested
from tests.rig.mock_brokers import PRODUCE, MockBrokers, mock_brokers

# More than are asked for until every deadline has passed.
FOR_LONG = 500


@pytest.fixture
def brokers() -> Iterator[MockBrokers]:
    with mock_brokers() as brokers:
        yield brokers


@pytest.fixture
def kafka(brokers: MockBrokers) -> KafkaSettings:
    settings = KafkaSettings(bootstrap_servers=brokers.bootstrap, topic_prefix="mock", partitions=2)
    for spec in specs_of(settings):
        brokers.create(spec.name, spec.partitions)
    return settings


@pytest.fixture
async def log(kafka: KafkaSettings) -> AsyncIterator[KafkaEventLog]:
    log = KafkaEventLog(kafka, Codec.local(), metrics=Metrics().log)
    await recovered(log, upload_requested(), end_of)
    yield log
    await log.close()


async def end_of(log: KafkaEventLog, event: UploadRequested) -> Position | AppendFailed:
    try:
        return await log.append(event, metadata())
    except AppendFailed as error:
        return error


def held(kafka: KafkaSettings) -> Counter[str]:
    """How often each event stands in the log."""
    codec = Codec.local()
    return Counter(
        str(codec.decode(record.value).event_id) for record in read(kafka, kafka.topics.assets, seconds=30)
    )


@pytest.mark.parametrize(
    "error",
    [
        KafkaError.NOT_ENOUGH_REPLICAS,
        KafkaError.NOT_ENOUGH_REPLICAS_AFTER_APPEND,
        KafkaError.LEADER_NOT_AVAILABLE,
        KafkaError.NOT_LEADER_FOR_PARTITION,
        KafkaError.REQUEST_TIMED_OUT,
    ],
    ids=["not-enough-replicas", "not-enough-after-append", "no-leader", "another-leads", "timed-out"],
)
async def test_what_passes_is_waited_out_within_the_deadline(
    brokers: MockBrokers, kafka: KafkaSettings, log: KafkaEventLog, error: int
) -> None:
    """R04: said twice, then no more: one append, one record, and nobody was told of anything."""
    event = upload_requested()
    brokers.say(PRODUCE, [error, error])
    assert isinstance(await end_of(log, event), Position)
    assert held(kafka)[str(event.event_id)] == 1


async def test_what_does_not_pass_is_said_in_time_and_does_not_last(
    brokers: MockBrokers, kafka: KafkaSettings, log: KafkaEventLog
) -> None:
    """R04: as long as too few have it, the append fails within its deadline; then all is well by itself."""
    event, later = upload_requested(), upload_requested()
    brokers.say(PRODUCE, [KafkaError.NOT_ENOUGH_REPLICAS] * FOR_LONG)
    assert isinstance(await end_of(log, event), AppendFailed)
    brokers.be_well(PRODUCE)
    await recovered(log, later, end_of)
    assert held(kafka)[str(later.event_id)] >= 1


async def test_a_record_that_a_broker_finds_too_large_is_refused_at_once(
    brokers: MockBrokers, kafka: KafkaSettings, log: KafkaEventLog
) -> None:
    """R04: which the doors say as 413; nothing is retried, and the next append is as good as ever."""
    event, later = upload_requested(), upload_requested()
    brokers.say(PRODUCE, [KafkaError.MSG_SIZE_TOO_LARGE])
    assert isinstance(await end_of(log, event), RecordTooLarge)
    assert isinstance(await end_of(log, later), Position)
    assert str(event.event_id) not in held(kafka)


@pytest.mark.parametrize(
    "error",
    [
        KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER,
        KafkaError.INVALID_PRODUCER_EPOCH,
        KafkaError.UNKNOWN_PRODUCER_ID,
    ],
    ids=["out-of-order", "epoch", "unknown-producer"],
)
async def test_a_producer_that_the_broker_disowns_is_none_that_we_keep(
    brokers: MockBrokers, kafka: KafkaSettings, log: KafkaEventLog, error: int
) -> None:
    """R18: whatever becomes of the append, it is made again by the same process and lands."""
    event = upload_requested()
    brokers.say(PRODUCE, [error])
    await recovered(log, event, end_of)
    assert held(kafka)[str(event.event_id)] >= 1
