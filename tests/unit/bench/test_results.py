"""Every benchmark's results: ratios the right way round, a table, and figures that a program can read."""

import json
from pathlib import Path

import pytest

from tests.bench import append, backlog, imaging, pipeline, projector, sandbox
from tests.bench.contenders import Done
from tests.bench.meters import Reading
from tests.bench.projector_lag import Lag
from tests.bench.projector_rounds import Caught
from tests.bench.quality import Quality
from tests.bench.results import Results, show


def done(ms: float) -> Done:
    return Done(cpu_ms=ms, wall_ms=ms + 1, peak_mib=100, sizes={"large": 1000})


def imaging_results(ssim: float = 0.97) -> Results:
    by_name = {imaging.OURS: 50.0, imaging.FLOOR: 40.0, imaging.TYPICAL: 150.0, imaging.TUNED: 75.0}
    samples = {name: {"a.jpg": [done(ms), done(2 * ms)]} for name, ms in by_name.items()}
    good = {"a.jpg": Quality(ssim={"large": 0.97}, size=1000)}
    ours = {"a.jpg": Quality(ssim={"large": ssim}, size=1010)}
    qualities = {imaging.OURS: ours, imaging.TYPICAL: good, imaging.TUNED: good}
    return imaging.results(samples, qualities, dict.fromkeys(by_name, "1.0"))


def sandbox_results() -> Results:
    times = {sandbox.BARE: 50.0, sandbox.KEPT: 51.0, sandbox.FRESH: 60.0}
    return sandbox.results({name: {"a.jpg": [done(ms)] * 3} for name, ms in times.items()}, "seccomp")


def projector_results() -> Results:
    used = Reading(seconds=2.0, cpu={"projector": 1.6, "postgres": 0.4, "kafka": 0.1})
    bare = Reading(seconds=1.0, cpu={"reading": 0.4})
    caught = Caught(events=40_000, used=used, memory_mib=80, bare_events=40_000, bare=bare)
    live = Lag(seconds=[0.01] * 99 + [0.2], used=used)
    return projector.results([caught, caught], live, 2000)


def append_results() -> Results:
    def a_round(ms: float) -> append.Round:
        return append.Round(latencies_ms=[ms, 2 * ms, 3 * ms], cpu_ms={"api": 1.0, "kafka": 0.5})

    return append.results({append.HTTP: [a_round(4.0)], append.BARE: [a_round(2.0)]}, 200)


def pipeline_results() -> Results:
    cpu = dict.fromkeys(("worker", "projector", "kafka", "postgres", "store"), 0.3)
    pair = pipeline.Pair(
        images=30,
        arrow=Reading(seconds=2.0, cpu=cpu),
        bare=Reading(seconds=1.5, cpu={"bare": 1.2, "store": 0.2}),
    )
    return pipeline.results(pipeline.Measured(pairs={"pictures": [pair]}, memory={"worker": 90.0}))


def backlog_results() -> Results:
    one = backlog.Round(idle_ms=[2.0, 4.0], beside_ms=[3.0, 5.0], events=10_000, seconds=2.0)
    return backlog.results([one, one], 200)


ALL = [
    imaging_results,
    sandbox_results,
    projector_results,
    append_results,
    backlog_results,
    pipeline_results,
]


@pytest.mark.parametrize("results", [make() for make in ALL], ids=lambda results: results.data["benchmark"])
def test_the_table_is_shown_and_the_file_written(
    results: Results, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    show(results, tmp_path / "figures.json")
    printed = capsys.readouterr().out
    assert results.title in printed
    assert all(len(row) == len(results.headings) for row in results.rows)
    written = json.loads((tmp_path / "figures.json").read_text())
    assert written["benchmark"] == results.data["benchmark"]
    assert written["machine"]["cores"]


def test_imaging_says_how_much_more_sharp_takes() -> None:
    results = imaging_results()
    assert results.data["ratios"] == {
        imaging.TYPICAL: pytest.approx(3.0),
        imaging.TUNED: pytest.approx(1.5),
        "over floor": pytest.approx(1.25),
    }
    assert "+1.0% to sharp tuned" in results.lines[1]
    assert results.lines[2:] == (
        "  large: 0.9700 darkroom, 0.9700 sharp typical, 0.9700 sharp tuned (mean SSIM); as good.",
    )


def test_imaging_names_a_variant_that_is_worse() -> None:
    kind, variant = imaging_results(ssim=0.968).lines[2:]
    assert kind.endswith("(mean SSIM); worse.")
    assert variant == "  worse: a.jpg large, by 0.0020"


def test_the_sandbox_is_told_by_what_it_adds() -> None:
    overhead = sandbox_results().data["overhead_ms"]
    assert overhead == {
        sandbox.KEPT: {"wall": pytest.approx(1.0), "cpu": pytest.approx(1.0)},
        sandbox.FRESH: {"wall": pytest.approx(10.0), "cpu": pytest.approx(10.0)},
    }


def test_the_projector_is_told_by_events_a_second_and_lag() -> None:
    data = projector_results().data
    assert data["events_per_second"] == pytest.approx(20_000)
    live = data["live"]
    assert isinstance(live, dict)
    assert (live["p50_ms"], live["p99_ms"]) == (pytest.approx(10.0), pytest.approx(10.0))
    assert live["max_ms"] == pytest.approx(200.0)


def test_appends_are_compared_at_their_p99() -> None:
    assert append_results().lines == ("HTTP's p99 is 2.0 times that of the append alone.",)


def test_reads_beside_a_backlog_are_compared_at_their_p99() -> None:
    results = backlog_results()
    assert results.lines[0] == "p99 beside a backlog of 10,000 events: 1.25 × idle."
    assert results.data["events_per_second"] == pytest.approx(5000)


def test_the_pipeline_is_a_share_of_the_bare_loop() -> None:
    assert pipeline_results().data["of_bare"] == {"pictures": pytest.approx(0.75)}
