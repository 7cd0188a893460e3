"""I12, told apart: variants that come out again as they stand, and each way in which they do not."""

import json
from collections.abc import Mapping
from dataclasses import replace
from io import StringIO
from uuid import UUID, uuid4

import pytest
from rich.console import Console
from typer.testing import CliRunner

from adapters.object_store import InMemoryObjectStore, StoreError, StoreRefused, StoreUnavailable
from ops.__main__ import commands
from ops.variants.checking import Finding
from ops.variants.saying import plain, tell
from ops.variants.verifying import Report
from processors.failures import Outage
from processors.sandbox import Broken, Exhausted, Refused, SandboxUnavailable
from processors.variants.manifest import read_manifest, write_manifest
from schemas.asset_state import AssetState
from tests.unit.ops.variants.library import NEWER, Ground, OtherQuality, served
from tests.unit.processors.renderers import InProcessRenderer
from tests.unit.processors.worlds import NOW, World


def newer(renderer: InProcessRenderer) -> InProcessRenderer:
    """The renderer, by another name."""
    renderer.encoder = NEWER
    return renderer


def outcomes(report: Report) -> Mapping[str, int]:
    return {str(outcome): count for outcome, count in report.outcomes.items()}


def only(report: Report, outcome: str) -> Finding:
    """The one finding, which is of this outcome and wrong."""
    (finding,) = report.findings
    assert (finding.outcome, outcomes(report), report.clean) == (outcome, {outcome: 1}, False)
    return finding


def key_of(state: AssetState, name: str) -> str:
    return next(variant.object_key for variant in served(state).variants if variant.name == name)


async def test_sets_that_come_out_again_are_equal() -> None:
    ground = Ground()
    states = [await ground.asset(colour) for colour in ("teal", "navy", "olive")]
    renderer = InProcessRenderer()
    report = await ground.verify(renderer)
    assert (report.assets, report.sets, report.clean) == (3, 3, True)
    assert (outcomes(report), report.findings, renderer.renders) == ({"equal": 3}, [], 3)
    assert report.encoders == {(served(states[0]).encoder, "equal"): 3}


async def test_equal_bytes_by_another_encoder_are_fine_and_told_apart() -> None:
    ground = Ground()
    state = await ground.asset()
    report = await ground.verify(newer(InProcessRenderer()))
    assert (outcomes(report), report.clean) == ({"equal_other_encoder": 1}, True)
    ours, theirs = plain(report)["encoders"]
    assert (ours["pillow"], ours["ours"], ours["outcomes"]) == ("1.1", True, {})
    assert (theirs["pillow"], theirs["ours"]) == (served(state).encoder.pillow, False)


async def test_other_bytes_under_the_same_encoder_differ() -> None:
    ground = Ground()
    state = await ground.asset()
    finding = only(await ground.verify(OtherQuality()), "differs")
    assert finding.variants == ("large",)
    assert (finding.asset_id, finding.preset_set) == (state.asset_id, served(state).preset_set)
    assert finding.made_by == served(state).encoder


async def test_other_bytes_under_another_encoder_name_both() -> None:
    ground = Ground()
    state = await ground.asset()
    report = await ground.verify(newer(OtherQuality()))
    finding = only(report, "differs_other_encoder")
    assert (finding.variants, finding.made_by) == (("large",), served(state).encoder)
    assert report.encoder.pillow == "1.1"


async def test_a_set_that_its_presets_do_not_make_differs_by_name() -> None:
    ground = Ground()
    state = await ground.asset()
    name = served(state).preset_set
    ground.library.definitions[name] = ground.library.definitions[name][1:]
    assert only(await ground.verify(), "differs").variants == ("large",)


async def test_objects_that_are_gone_or_altered_are_named_beside_what_differs() -> None:
    ground = Ground()
    state = await ground.asset()
    await ground.world.store.delete([key_of(state, "small")])
    await ground.world.store.put(key_of(state, "thumbnail"), b"x", content_type="image/jpeg")
    report = await ground.verify(OtherQuality())
    assert [(finding.outcome, finding.variants) for finding in report.findings] == [
        ("object_missing", ("small",)),
        ("object_damaged", ("thumbnail",)),
        ("differs", ("large",)),
    ]
    assert (report.sets, report.clean) == (1, False)


async def test_a_manifest_that_is_gone_unreadable_or_of_another_mind_is_not_believed() -> None:
    ground = Ground()
    state = await ground.asset()
    key, store = served(state).manifest_key, ground.world.store
    manifest = read_manifest(await store.get(key))
    other = replace(manifest, source=replace(manifest.source, width=1), preset_set="0" * 64)
    await store.put(key, write_manifest(other), content_type="application/json")
    finding = only(await ground.verify(), "manifest_broken")
    assert finding.detail == "the log has another source, preset_set"
    await store.put(key, b"{}", content_type="application/json")
    assert only(await ground.verify(), "manifest_broken").made_by is None
    await store.delete([key])
    renderer = InProcessRenderer()
    only(await ground.verify(renderer), "manifest_missing")
    assert renderer.renders == 0


async def test_an_original_that_is_gone_or_of_another_size_is_told() -> None:
    ground = Ground()
    state = await ground.asset()
    key = served(state).source.object_key
    await ground.world.store.put(key, b"short", content_type="image/jpeg")
    detail = only(await ground.verify(), "original_damaged").detail
    assert detail == f"5 bytes of {served(state).source.size:,}"
    await ground.world.store.delete([key])
    only(await ground.verify(), "original_missing")


@pytest.mark.parametrize(
    ("failure", "detail"),
    [
        (Refused("corrupt"), "corrupt"),
        (Exhausted("timeout", "SIGKILL"), "timeout (SIGKILL)"),
        (Broken("ValueError at resize.py:3"), "ValueError at resize.py:3"),
    ],
    ids=["refused", "exhausted", "broken"],
)
async def test_what_is_not_rendered_any_more_says_why(failure: Exception, detail: str) -> None:
    ground = Ground()
    await ground.asset()
    assert only(await ground.verify(InProcessRenderer(failure)), "not_rendered").detail == detail


async def test_a_set_that_the_log_does_not_define_can_not_be_rendered() -> None:
    ground = Ground()
    await ground.asset()
    ground.library.definitions.clear()
    only(await ground.verify(), "unknown_presets")


async def test_assets_without_sets_are_told_apart() -> None:
    ground = Ground()
    state, stranger = await ground.asset(), uuid4()
    bare, gone = replace(state, asset_id=uuid4(), served=None), uuid4()
    purged = replace(state, asset_id=gone, served=None, original=None, purged_at=NOW)
    ground.library.known |= {bare.asset_id: bare, gone: purged}
    report = await ground.verify(asset_ids=(bare.asset_id, gone))
    assert (outcomes(report), report.clean, report.sets) == ({"no_variants": 1, "purged": 1}, True, 0)
    assert only(await ground.verify(asset_ids=(stranger,)), "unknown_asset").asset_id == stranger


@pytest.mark.parametrize("outcome", ["purged", "retired"])
async def test_what_was_taken_away_meanwhile_is_not_missing(outcome: str) -> None:
    ground = Ground()
    state = await ground.asset()
    later = replace(state, served=replace(served(state), manifest_key="assets/another"))
    if outcome == "purged":
        later = replace(state, served=None, original=None, purged_at=NOW)
    ground.library.later[state.asset_id] = later
    await ground.world.store.delete([served(state).manifest_key])
    report = await ground.verify()
    assert (outcomes(report), report.clean) == ({outcome: 1}, True)


async def test_kept_sets_are_verified_too_and_a_preset_set_picks_among_them() -> None:
    ground = Ground()
    state = await ground.asset()
    unknown = replace(served(state), preset_set="0" * 64, manifest_key="nowhere", superseded_at=NOW)
    ground.library.known[state.asset_id] = replace(state, kept=(unknown,))
    assert outcomes(await ground.verify()) == {"manifest_missing": 1, "equal": 1}
    assert outcomes(await ground.verify(preset_set=served(state).preset_set[:8])) == {"equal": 1}


class AwayFor(InMemoryObjectStore):
    """Can't be reached so many times, then can."""

    def __init__(self, times: int, error: StoreError) -> None:
        super().__init__()
        self.times, self.error = times, error

    async def view(self, key: str) -> memoryview:
        self.times -= 1
        if self.times >= 0:
            raise self.error
        return await super().view(key)


async def test_an_outage_is_waited_for() -> None:
    store = AwayFor(0, StoreUnavailable("away"))
    ground = Ground(World(store=store))
    await ground.asset()
    store.times = 1
    assert outcomes(await ground.verify(budget=5.0)) == {"equal": 1}


@pytest.mark.parametrize(
    ("error", "raised"),
    [(StoreUnavailable("away"), Outage), (StoreRefused("no"), StoreRefused)],
    ids=["away", "no"],
)
async def test_a_store_that_stays_away_or_says_no_ends_the_verification(
    error: StoreError, raised: type[Exception]
) -> None:
    store = AwayFor(0, error)
    ground = Ground(World(store=store))
    await ground.asset()
    store.times = 10**6
    with pytest.raises(raised):
        await ground.verify()


async def test_no_sandbox_ends_the_verification() -> None:
    ground = Ground()
    await ground.asset()
    with pytest.raises(SandboxUnavailable):
        await ground.verify(InProcessRenderer(SandboxUnavailable("none")))


async def test_the_table_is_read_at_80_columns_and_names_encoders() -> None:
    ground = Ground()
    state = await ground.asset()
    await ground.world.store.delete([key_of(state, name) for name in ("small", "thumbnail")])
    report = await ground.verify(newer(OtherQuality()))
    shown = StringIO()
    tell(report, Console(width=80, file=shown))
    lines = shown.getvalue().splitlines()
    assert max(map(len, lines)) <= 80
    text = "\n".join(lines)
    assert str(state.asset_id) in text
    assert "differs other encoder: 1" in text
    assert "pillow 1.1" in text
    assert "pillow 1\n" in text
    json.dumps(plain(report))


@pytest.mark.parametrize(
    "words",
    [
        ["no-id"],
        ["--status", "odd"],
        ["--format", "tiff"],
        ["--preset-set", "xyz"],
        ["--preset-set", ""],
        ["--max", "0"],
        ["--owner", "ada"],
        [str(UUID(int=1)), "--status", "ready"],
    ],
    ids=" ".join,
)
def test_a_mistake_in_the_command_is_2(words: list[str]) -> None:
    assert CliRunner().invoke(commands("variants"), ["variants", "verify", *words]).exit_code == 2
