"""Reads every asset event with an ordinary registry-aware client; nothing of Darkroom is imported.

Addresses come from the environment, for example by: set -a; . .darkroom/env; set +a
"""

import json
import os

from confluent_kafka import DeserializingConsumer
from confluent_kafka.schema_registry import SchemaRegistryClient
from confluent_kafka.schema_registry.avro import AvroDeserializer

registry = SchemaRegistryClient({"url": os.environ["SCHEMA_REGISTRY_URL"]})
consumer = DeserializingConsumer(
    {
        "bootstrap.servers": os.environ["KAFKA_BOOTSTRAP_SERVERS"],
        "group.id": "read-the-log-example",
        "enable.auto.commit": False,
        "auto.offset.reset": "earliest",
        "value.deserializer": AvroDeserializer(registry),
    }
)
consumer.subscribe([os.environ.get("TOPIC_PREFIX", "darkroom") + ".assets.v1"])

quiet = 0
while quiet < 5:
    record = consumer.poll(1.0)
    if record is None:
        quiet += 1
        continue
    headers = {name: value.decode() for name, value in record.headers()}
    print(f"{record.partition()}/{record.offset()}  {record.key().decode()}  {headers['ce_type']}")
    print(json.dumps(record.value(), default=str, indent=2))
consumer.close()
