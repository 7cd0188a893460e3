"""Logs, metrics, loops, probes."""

import base64
import io
import json
import logging
import urllib.error
import urllib.request
import warnings
from collections.abc import Iterator
from datetime import timedelta

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from adapters.settings import Settings, SettingsError, load_settings
from adapters.telemetry import Loops, Metrics, configure_logs, serve_metrics
from adapters.telemetry.families import Families, nothing
from adapters.telemetry.logs import _Bridge
from adapters.telemetry.redaction import Redactor

CANARY = "canary-61d0c2f5"
MASTER = base64.b64encode(b"canary of thirty-two bytes, mine").decode()


@pytest.fixture
def settings() -> Settings:
    return load_settings(
        {
            "METRICS_PORT": "0",
            "S3_SECRET_KEY": CANARY,
            "TOKEN_SECRET": f"k:{CANARY}-2",
            "DATABASE_URL": f"postgresql://u:{CANARY}-3@h/d",
            "MASTER_KEY": f"m:{MASTER}",
        }
    )


@pytest.fixture
def stream(settings: Settings) -> Iterator[io.StringIO]:
    written = io.StringIO()
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    configure_logs("test", settings, written)
    yield written
    logging.captureWarnings(capture=False)
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def lines(stream: io.StringIO) -> list[dict[str, object]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def test_a_line_says_when_how_grave_who_what_and_about_which(stream: io.StringIO) -> None:
    with structlog.contextvars.bound_contextvars(request_id="r", asset_id="a", event_id="e", trace_id="t"):
        structlog.get_logger().info("asset stored", size=3)
    structlog.get_logger().info("after")
    first, second = lines(stream)
    assert first.pop("time", "")
    assert list(first)[:3] == ["level", "component", "event"]
    assert first == {
        "level": "info",
        "component": "test",
        "event": "asset stored",
        "size": 3,
        "request_id": "r",
        "asset_id": "a",
        "event_id": "e",
        "trace_id": "t",
    }
    assert "request_id" not in second


@given(st.text())
def test_l01_whatever_is_logged_stays_in_its_line(text: str) -> None:
    written = io.StringIO()
    configure_logs("test", load_settings({}), written)
    structlog.get_logger().info(text, value=text, name=text)
    logging.captureWarnings(capture=False)
    structlog.reset_defaults()
    (line,) = written.getvalue().splitlines()
    assert line.isascii()
    assert line.isprintable()
    json.loads(line)


def test_what_libraries_log_is_a_line_like_any_other(stream: io.StringIO) -> None:
    logging.getLogger("library").warning("%s of %d\n", "one", 2)
    mistaken = {"name": "library", "levelno": logging.WARNING, "msg": "%d", "args": ("no number",)}
    _Bridge().emit(logging.makeLogRecord(mistaken))
    logging.getLogger("faust").info("chatter")
    logging.getLogger("library").debug("too fine")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("careful", stacklevel=1)
    said = [(line["event"], line["logger"]) for line in lines(stream)]
    assert said[:2] == [("one of 2\n", "library"), ("%d", "library")]
    assert len(said) == 3
    assert "careful" in str(said[2][0])


def test_secrets_of_the_settings_are_hidden_wherever_they_stand(stream: io.StringIO) -> None:
    structlog.get_logger().info("said", text=f"a {CANARY}, b {CANARY}-2, c {CANARY}-3, d {MASTER}!")
    assert lines(stream)[0]["text"] == "a [secret], b [secret], c [secret], d [secret]!"
    structlog.get_logger().info("said", text="x" * 4090 + CANARY + "y" * 9000)
    assert CANARY[:4] not in stream.getvalue()


def test_an_exception_is_in_the_line_with_its_stack(stream: io.StringIO) -> None:
    try:
        raise ValueError(f"postgresql://u:{CANARY}@h/d refused")
    except ValueError:
        structlog.get_logger().exception("broken")
    (line,) = lines(stream)
    assert "Traceback" in str(line["exception"])
    assert CANARY not in stream.getvalue()


STRANGE = "strange-77aa01b2"
"""A secret that is in no setting: only its name or its form gives it away."""


@pytest.mark.parametrize(
    "said",
    [
        {"password": STRANGE},
        {"refresh_token": STRANGE},
        {"Authorization": STRANGE},
        {"headers": {"cookie": STRANGE, "x": [{"api_key": STRANGE}]}},
        {"text": f"authorization: Bearer {STRANGE} and more"},
        {"text": f"bEaReR\t{STRANGE}"},
        {"text": f"BASIC {STRANGE}"},
        {"text": "x" * 4000 + f" Bearer {STRANGE}" + STRANGE * 400},
        {"url": f"https://store/b/k?X-Amz-Credential={STRANGE}&X-Amz-Signature={STRANGE}&x=1"},
        {"url": f"https://ada:{STRANGE}@store/"},
        {"text": f"ticket={STRANGE}"},
        {"text": f"eyJhbGciOi.{STRANGE}.{STRANGE}"},
        {"text": f"presented dr1.k1.{STRANGE} again"},
        {"text": f"the key drk_abcdefgh_{STRANGE}"},
        {"text": f"$argon2id$v=19$m=19456,t=2,p=1$c2FsdA${STRANGE}"},
        {"text": f"Key (address)=({STRANGE}@example.org) already exists"},
        {"text": f"to {STRANGE}+tag@mail.bücher.example, and on"},
        {"data": STRANGE.encode()},
        {"error": ValueError(f"no route to amqp://u:{STRANGE}@host")},
    ],
    ids=lambda said: next(iter(said)),
)
def test_what_is_named_or_formed_like_a_secret_reaches_no_line(
    stream: io.StringIO, said: dict[str, object]
) -> None:
    structlog.get_logger().warning("said", **said)
    assert STRANGE not in stream.getvalue()
    assert len(lines(stream)) == 1


@pytest.mark.parametrize(
    "said",
    [
        {"text": f"the key is {CANARY}"},
        {"error": ValueError(CANARY)},
        {"deep": {"a": {"b": {"c": {"d": {"e": {"f": {"g": CANARY}}}}}}}},
        {CANARY: 1},
        {"map": {CANARY: 1}},
    ],
    ids=lambda said: next(iter(said)),
)
def test_no_secret_of_the_settings_reaches_a_line(stream: io.StringIO, said: dict[str, object]) -> None:
    structlog.get_logger().warning(f"about {CANARY}", **said)
    assert CANARY not in stream.getvalue()
    assert len(lines(stream)) == 1


def test_long_texts_and_lists_are_cut() -> None:
    cut = Redactor()(None, "", {"text": "x" * 100_000, "list": list(range(1000)), "n": float("nan")})
    assert len(str(cut["text"])) < 5000
    assert cut["list"] == list(range(100))


def test_a_metric_outside_the_catalogue_or_its_labels_does_not_exist() -> None:
    metrics = Metrics()
    metrics.worker.jobs.of(outcome="ready").inc()
    with pytest.raises(TypeError):
        metrics.worker.jobs.of(result="ready")  # type: ignore[call-arg]
    with pytest.raises(AttributeError):
        metrics.worker.anything  # type: ignore[attr-defined]  # noqa: B018
    for name, kind in (("other_total", "counter"), ("darkroom_x", "counter"), ("darkroom_x_total", "gauge")):
        with pytest.raises(ValueError, match="no name for"):
            getattr(Families(Metrics().registry), kind)(name, "Meaning.", nothing)


def test_what_can_be_listed_begins_at_nought_and_a_group_appears_when_it_is_used() -> None:
    metrics = Metrics()
    value = metrics.registry.get_sample_value
    assert value("darkroom_worker_jobs_total", {"outcome": "ready"}) is None
    metrics.worker.jobs.of("refused").inc()
    assert value("darkroom_worker_jobs_total", {"outcome": "ready"}) == 0
    assert value("darkroom_worker_jobs_total", {"outcome": "refused"}) == 1


def test_two_processes_in_one_do_not_share_their_metrics() -> None:
    first, second = Metrics(), Metrics()
    first.log.appends.of("acknowledged").inc()
    assert second.log.appends.of("acknowledged")._value.get() == 0


def test_a_silent_loop_is_told_by_its_name() -> None:
    metrics, time = Metrics(), [100.0]
    loops = Loops("projector", timedelta(seconds=30), metrics.loops, now=lambda: time[0])
    fold, follow = loops.expect("fold"), loops.expect("follow")
    loops.expect("a chore", beats=False)
    time[0] += 31
    fold.beat()
    assert loops.stuck() == "silent for more than 30 s: follow"
    value = metrics.registry.get_sample_value
    name = "darkroom_loop_heartbeat_age_seconds"
    assert value(name, {"component": "projector", "loop": "follow"}) == 31
    assert value(name, {"component": "projector", "loop": "a chore"}) is None
    follow.beat()
    assert loops.stuck() is None


def fetched(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.read().decode()


def test_metrics_and_probes_are_served(settings: Settings) -> None:
    metrics, reason = Metrics(), ["the log is away"]

    def broken() -> str | None:
        raise ZeroDivisionError

    server = serve_metrics(
        settings,
        metrics,
        ready=lambda: reason[0] or None,
        live=broken,
        details=lambda: {"sandbox": "seccomp"},
    )
    metrics.sse.streams.of().set(3)
    assert "darkroom_sse_streams 3.0" in fetched(server.port, "/metrics")[1]
    status, body = fetched(server.port, "/readyz")
    assert (status, json.loads(body)["reason"]) == (503, "the log is away")
    reason[0] = ""
    status, body = fetched(server.port, "/readyz?x=1")
    assert (status, json.loads(body)) == (200, {"status": "ok", "reason": None, "sandbox": "seccomp"})
    assert fetched(server.port, "/livez")[0] == 503
    assert fetched(server.port, "/other")[0] == 404
    server.close()


def test_a_port_that_is_taken_is_a_sentence(settings: Settings) -> None:
    server = serve_metrics(settings, Metrics())
    with pytest.raises(SettingsError) as refusal:
        serve_metrics(load_settings({"METRICS_PORT": str(server.port)}), Metrics())
    assert refusal.value.sentences[0].startswith("METRICS_PORT")
    server.close()
