"""What the operator's commands about keys have in hand: a fresh view of the key topic, a way to say."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from adapters.event_log import KafkaEventLog
from adapters.object_store.protocol import StoreError
from adapters.schema_registry import load_codec
from adapters.settings import Settings
from adapters.subject_keys import Custody, KafkaSubjectKeys
from adapters.telemetry.metrics import Metrics
from adapters.topics import require_topics
from ops.private_files import passing_folder
from ops.sentences import in_sentences
from ops.subjects.key_records import TopicUnread
from ops.waiting import UNREACHABLE, leave, stop_after
from schemas.codec import Codec

SOURCE: Final = "/ops/subjects"


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """All of it at work, the view at the topic's end."""

    settings: Settings
    codec: Codec
    log: KafkaEventLog
    keys: KafkaSubjectKeys
    custody: Custody


@contextmanager
def opened(settings: Settings, *, wait: float) -> Iterator[Opened]:
    """Opens it, and turns what goes wrong inside into a sentence and an exit code: 1 not reached, 3 wrong.

    The view is made anew from the topic: a file of some other process is neither trusted nor touched.
    """
    try:
        with in_sentences(), ExitStack() as stack:
            folder = stack.enter_context(passing_folder("darkroom-ops-"))
            yield _opened(_elsewhere(settings, folder), stack, wait)
    except (StoreError, TopicUnread) as error:
        leave(f"A server can't be reached: {error}.", code=UNREACHABLE)


def _opened(settings: Settings, stack: ExitStack, wait: float) -> Opened:
    with stop_after(wait) as stop:
        require_topics(settings, stop=stop)
        codec = load_codec(settings, stop=stop)
    log = KafkaEventLog(settings.kafka, codec, metrics=Metrics().log)
    stack.callback(log.close_sync)
    keys = KafkaSubjectKeys(settings, codec, log, component="ops")
    stack.callback(keys.close)
    keys.start()
    custody = Custody(keys, log, settings.secrets.master_keys, source=SOURCE)
    custody.wait_until_current(max(wait, 10.0))
    return Opened(settings=settings, codec=codec, log=log, keys=keys, custody=custody)


def _elsewhere(settings: Settings, folder: Path) -> Settings:
    return replace(settings, runtime=settings.runtime.model_copy(update={"state_dir": folder}))
