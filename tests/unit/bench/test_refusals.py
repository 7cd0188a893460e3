"""The refusals benchmark: its real bomb is a picture, and its verdict is that of the figures."""

import io

from PIL import Image

from tests.bench.refusals import BARE, CHILD, Said, results, whole_png


def said(code: str | None, ms: float, mib: float = 0.0) -> Said:
    return Said(code=code, wall_ms=[ms, ms * 3], added_mib=mib)


def verdict(code: str | None, ms: float, mib: float) -> tuple[str, ...]:
    samples = {
        BARE: {"bomb": said(code, ms, mib), "other": said("corrupt", 1.0)},
        CHILD: {"bomb": said(code, 9.0), "other": said("corrupt", 5.0)},
    }
    return tuple(results(samples, "seccomp").lines)


def test_the_png_that_is_as_large_as_it_claims_is_a_picture() -> None:
    with Image.open(io.BytesIO(whole_png(200))) as image:
        image.load()
        assert (image.size, image.mode, image.getextrema()) == ((200, 200), "1", (0, 0))


def test_the_goal_is_met_by_medians_and_memory() -> None:
    (line,) = verdict("corrupt", 20.0, 3.0)
    assert line == (
        "At worst 40.0 ms and 3.0 MiB in process, 18.0 ms through the sandbox; "
        "the goal of 50 ms and 50 MiB is met."
    )


def test_time_memory_and_acceptance_each_miss_it() -> None:
    assert "not met" in verdict("corrupt", 40.0, 3.0)[0]
    assert "not met" in verdict("corrupt", 1.0, 60.0)[0]
    assert verdict(None, 1.0, 1.0)[1] == "  not refused: bomb"
