"""Preset sets: the hash that names one, what one may hold, and the failure codes' catalogue."""

import dataclasses
import json
import math
from typing import Any

import pytest

from schemas.codes import FAILURES, is_failure
from schemas.presets import DEFAULT_PRESETS, InvalidPresets, preset_set_hash, presets_from_json

GOOD = {"name": "wide", "width": 2000, "height": 500, "fit": "contain", "formats": ["webp"], "quality": 70}


def test_the_hash_is_of_the_content() -> None:
    """A hash in the log names a definition for ever: the first set's is written down here."""
    known = "9f56c7f2b7ac738ae3879c55b99ce0c65e66dfb90a25316c413f1797c7e6dabe"
    assert preset_set_hash(DEFAULT_PRESETS) == known
    assert preset_set_hash(DEFAULT_PRESETS[::-1]) == known


@pytest.mark.parametrize(
    "change",
    [{"name": "x"}, {"width": 1}, {"height": 1}, {"fit": "cover"}, {"formats": ("webp",)}, {"quality": 1}],
    ids=str,
)
def test_every_field_counts(change: dict[str, Any]) -> None:
    first, *others = DEFAULT_PRESETS
    changed = dataclasses.replace(first, **change)
    assert preset_set_hash([changed, *others]) != preset_set_hash(DEFAULT_PRESETS)


def test_the_order_of_formats_counts() -> None:
    first = dataclasses.replace(DEFAULT_PRESETS[0], formats=("auto", "webp"))
    turned = dataclasses.replace(first, formats=("webp", "auto"))
    assert preset_set_hash([first]) != preset_set_hash([turned])


def test_our_own_set_is_one_that_may_be() -> None:
    text = json.dumps([dataclasses.asdict(preset) for preset in DEFAULT_PRESETS])
    assert presets_from_json(text) == DEFAULT_PRESETS


@pytest.mark.parametrize(
    ("rows", "said"),
    [
        ([], "1 to 20 presets"),
        ([GOOD] * 2, "Two presets are named wide"),
        ([{**GOOD, "name": "original"}], "not 'original'"),
        ([{**GOOD, "name": "../etc"}], "its name must be"),
        ([{**GOOD, "name": ""}], "its name must be"),
        ([{**GOOD, "width": 0}], "a side of 0 pixels"),
        ([{**GOOD, "width": -1}], "a side of -1"),
        ([{**GOOD, "width": 10**9}], "a side of 1000000000"),
        ([{**GOOD, "width": math.nan}], "a side of nan"),
        ([{**GOOD, "width": 1.5}], r"a side of 1\.5"),
        ([{**GOOD, "height": 100_000}], "a side of 100000 pixels"),
        ([{**GOOD, "width": True}], "a side of True"),
        ([{**GOOD, "fit": "stretch"}], "not stretch"),
        ([{**GOOD, "formats": []}], "one or more"),
        ([{**GOOD, "formats": ["webp", "webp"]}], "each once"),
        ([{**GOOD, "formats": ["gif"]}], "not gif"),
        ([{**GOOD, "quality": 101}], "a quality of 101"),
        ([{**GOOD, "colour": "red"}], "JSON list of objects"),
        (["wide"], "JSON list of objects"),
        (7, "JSON list of objects"),
    ],
)
def test_what_is_no_preset_set(rows: Any, said: str) -> None:
    """I14: no size that makes no sense gets into a definition."""
    with pytest.raises(InvalidPresets, match=said):
        presets_from_json(json.dumps(rows))


def test_what_is_no_json() -> None:
    with pytest.raises(InvalidPresets):
        presets_from_json("{")


def test_codes_belong_to_one_kind_each() -> None:
    codes = [code for codes in FAILURES.values() for code in codes]
    assert len(codes) == len(set(codes))
    assert is_failure("refused", "truncated")
    assert not is_failure("exhausted", "truncated")
    assert not is_failure("tired", "truncated")
    assert all(says for codes in FAILURES.values() for says in codes.values())
