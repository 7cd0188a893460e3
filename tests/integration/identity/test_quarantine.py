"""R11: a record of an account that nobody can read holds the account back, until an operator discards it."""

import json
from typing import Any

from adapters.account_keys import account_key, read_address
from schemas.envelope import RawRecord
from schemas.partitioner import partition_for
from tests.integration.identity.running import RunningIdentity, somebody, until
from tests.log_records import append_raw
from tests.programs import asked

BROKEN = b"\0\0\0\xff\xff" + b"of a schema that nobody has"


def poison(identity: RunningIdentity, email: str) -> RawRecord:
    """Appended under the account's key, where it belongs and where no one can read it."""
    settings = identity.world.settings("poison")
    secret = settings.secrets.account_key_secret.get_secret_value().encode()
    key = account_key(read_address(email), secret).encode()
    record = RawRecord(
        topic=settings.kafka.topics.identity,
        partition=partition_for(key, settings.kafka.partitions),
        offset=0,
        timestamp_ms=0,
        key=key,
        value=BROKEN,
        headers=(),
    )
    append_raw(identity.world.env, [record])
    return record


def dead_letters(identity: RunningIdentity, *words: str, code: int = 0) -> Any:
    """What `python -m ops dead-letters …` says."""
    done = identity.ops("dead-letters", *words, "--json")
    assert done.returncode == code, done.stderr
    return json.loads(done.stdout)


def letters(identity: RunningIdentity, key: str) -> list[dict[str, Any]]:
    return [letter for letter in dead_letters(identity, "list") if letter["key"] == key]


def quarantined(identity: RunningIdentity) -> float:
    """How many records of accounts the projector says are set aside."""
    text = asked(f"{identity.projector.metrics_url}/metrics").text
    lines = [line for line in text.splitlines() if line.startswith("darkroom_projector_quarantine_records{")]
    return sum(float(line.split()[-1]) for line in lines)


def test_an_account_that_is_held_back_is_free_again_after_a_discard(identity: RunningIdentity) -> None:
    ada, ben = identity.somebody(), identity.somebody()
    key = (poison(identity, ada.email).key or b"").decode()
    until(lambda: quarantined(identity) > 0, 60)
    held, free = somebody(identity.log_in(ada.email)), somebody(identity.log_in(ben.email))
    assert identity.refresh(held.refresh).status_code == 401, "that it began waits behind the record"
    assert identity.refresh(free.refresh).status_code == 200
    (letter,) = letters(identity, key)
    assert (letter["state"], letter["component"], letter["code"]) == (
        "holding",
        "projector",
        "unknown_schema_id",
    )
    by_code = ("--where", "code=unknown_schema_id", "--max", "5")
    assert dead_letters(identity, "redrive", letter["id"], code=4) == {letter["id"]: "still_held"}
    assert dead_letters(identity, "discard", *by_code, "--dry-run") == {letter["id"]: "would be: holding"}
    assert dead_letters(identity, "discard", *by_code) == {letter["id"]: "discarded"}
    # What waited is folded a moment later.
    until(lambda: identity.refresh(held.refresh).status_code == 200, 60)
    assert identity.refresh(somebody(identity.log_in(ada.email)).refresh).status_code == 200
    until(lambda: quarantined(identity) == 0, 60)
