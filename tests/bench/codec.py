"""Round trips of the codec on the real mix of events, beside fastavro's own way and confluent's client."""

import dataclasses
import time
from collections.abc import Callable
from io import BytesIO
from typing import Any, Final

from confluent_kafka.schema_registry import SchemaRegistryClient, topic_record_subject_name_strategy
from confluent_kafka.schema_registry.avro import AvroDeserializer, AvroSerializer
from confluent_kafka.serialization import MessageField, SerializationContext
from fastavro import parse_schema, schemaless_reader, schemaless_writer

from schemas.avsc import avsc, avsc_text
from schemas.catalogue import by_class
from schemas.codec import Codec
from schemas.events import Event, ProcessingStarted, UploadCompleted, UploadRequested, VariantsReady
from tests.bench.results import JsonFile, Results, Rounds, progress, show
from tests.bench.rounds import paired, totals, turns
from tests.golden.examples import EXAMPLES

# What one photograph leaves in the log.
MIX: Final = tuple(
    event
    for event in EXAMPLES
    if isinstance(event, UploadRequested | UploadCompleted | ProcessingStarted | VariantsReady)
)
# Short, so that on a busy machine some rounds are undisturbed.
REPEATS: Final = 200
GOAL: Final = 45_000

Trip = Callable[[], object]


def command(rounds: Rounds = 60, json: JsonFile = None) -> None:
    """Encode and decode: round trips a second of the events that one photograph leaves in the log."""
    client = SchemaRegistryClient.new_client({"url": "mock://bench"})
    trips: dict[str, list[Trip]] = {
        "ours": [_ours(event) for event in MIX],
        "fastavro, generic": [_generic(event) for event in MIX],
        "confluent": [_confluent(event, client) for event in MIX],
    }
    show(_results(_measure(trips, rounds), rounds), json)


def _measure(trips: dict[str, list[Trip]], rounds: int) -> dict[str, dict[str, list[float]]]:
    """Seconds by contender and event, one sample a round; the first round warms up."""
    names = [type(event).__name__ for event in MIX]
    samples: dict[str, dict[str, list[float]]] = {one: {name: [] for name in names} for one in trips}
    with progress() as bar:
        task = bar.add_task("round trips", total=rounds + 1)
        for number in range(-1, rounds):
            for at, name in enumerate(names):
                for contender in turns(list(trips), max(number, 0) + at):
                    seconds = _time(trips[contender][at])
                    if number >= 0:
                        samples[contender][name].append(seconds)
            bar.advance(task)
    return samples


def _time(trip: Trip) -> float:
    began = time.perf_counter()
    for _ in range(REPEATS):
        trip()
    return (time.perf_counter() - began) / REPEATS


def _ours(event: Event) -> Trip:
    codec = Codec.local()
    assert codec.decode(codec.encode(event)) == event
    return lambda: codec.decode(codec.encode(event))


def _generic(event: Event) -> Trip:
    """Dictionaries in and out, with fastavro's logical types: no objects are even made."""
    row = by_class()[type(event)]
    schema, values = parse_schema(avsc(row, row.newest)), _values(event)

    def trip() -> object:
        stream = BytesIO()
        schemaless_writer(stream, schema, values)
        return schemaless_reader(BytesIO(stream.getvalue()), schema, None)

    assert trip() == values
    return trip


def _confluent(event: Event, client: SchemaRegistryClient) -> Trip:
    row, values = by_class()[type(event)], _values(event)
    config = {"subject.name.strategy": topic_record_subject_name_strategy}
    serialize = AvroSerializer(client, avsc_text(row, row.newest), conf=config)
    deserialize = AvroDeserializer(client)
    context = SerializationContext("bench", MessageField.VALUE)

    def trip() -> object:
        return deserialize(serialize(values, context), context)

    assert trip() == values
    return trip


def _values(thing: Any) -> Any:
    if dataclasses.is_dataclass(thing):
        return {field.name: _values(getattr(thing, field.name)) for field in dataclasses.fields(thing)}
    return [_values(item) for item in thing] if isinstance(thing, tuple) else thing


def _results(samples: dict[str, dict[str, list[float]]], rounds: int) -> Results:
    whole = {contender: totals(rows) for contender, rows in samples.items()}
    rates = {
        contender: len(MIX) / sum(min(times) for times in events.values())
        for contender, events in samples.items()
    }
    rows = [
        [
            contender,
            *(f"{min(times) * 1e6:.1f}" for times in events.values()),
            f"{rates[contender]:,.0f}",
            f"{paired(whole[contender], whole['ours']):.2f}",
        ]
        for contender, events in samples.items()
    ]
    names = [type(event).__name__ for event in MIX]
    return Results(
        title=f"Codec: µs for encode + decode, the best of {rounds} rounds",
        headings=["", *names, "mix, round trips/s", "time / ours"],
        rows=rows,
        lines=[f"Goal: {GOAL:,} round trips/s of the mix."],
        data={"samples": samples, "rates": rates},
    )
