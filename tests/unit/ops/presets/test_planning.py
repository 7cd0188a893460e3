"""A plan counts what is to be rendered, and estimates what that takes from what renders took."""

from dataclasses import replace

from ops.presets.planning import Measured, Size, plan, written
from schemas.presets import DEFAULT_PRESETS, preset_set_hash

PHOTOGRAPH = Size(width=4000, height=3000, assets=10, standing=0)
MEASURED = Measured(cpu_ms=100.0, renders=50, bytes=500_000, pixels=1_000_000)
LARGE, MEDIUM, SMALL, THUMBNAIL = DEFAULT_PRESETS


def test_files_are_counted_in_all_formats() -> None:
    both = replace(MEDIUM, formats=("jpeg", "webp"))
    made = plan([LARGE, both], DEFAULT_PRESETS, [PHOTOGRAPH], MEASURED)
    assert (made.assets, made.renders, made.measured) == (10, 30, 50)
    assert made.preset_set == preset_set_hash([LARGE, both])


def test_bytes_are_those_of_the_pixels_to_be_written() -> None:
    made = plan([SMALL], DEFAULT_PRESETS, [PHOTOGRAPH], MEASURED)
    assert made.bytes == 10 * 480 * 360 // 2


def test_more_pixels_cost_more_and_fewer_no_less_than_a_render() -> None:
    fewer = plan([SMALL], DEFAULT_PRESETS, [PHOTOGRAPH], MEASURED)
    twice = plan(
        [replace(one, formats=("jpeg", "webp")) for one in DEFAULT_PRESETS],
        DEFAULT_PRESETS,
        [PHOTOGRAPH],
        MEASURED,
    )
    assert (fewer.cpu_seconds, twice.cpu_seconds) == (1.0, 2.0)


def test_what_is_kept_costs_nothing() -> None:
    kept = replace(PHOTOGRAPH, standing=10)
    made = plan([SMALL], DEFAULT_PRESETS, [kept], MEASURED)
    assert (made.assets, made.standing, made.renders, made.cpu_seconds, made.bytes) == (10, 10, 0, 0.0, 0)


def test_where_nothing_was_rendered_yet_nothing_is_estimated() -> None:
    nothing = Measured(cpu_ms=0.0, renders=0, bytes=0, pixels=0)
    made = plan([SMALL], (), [PHOTOGRAPH], nothing)
    assert (made.renders, made.cpu_seconds, made.bytes, made.measured) == (10, 0.0, 0, 0)


def test_nothing_is_enlarged() -> None:
    assert written(Size(width=100, height=50, assets=1, standing=0), [LARGE]) == 5_000
    assert written(Size(width=4000, height=400, assets=1, standing=0), [THUMBNAIL]) == 150 * 150
    assert written(Size(width=0, height=0, assets=1, standing=0), [LARGE]) == 0
