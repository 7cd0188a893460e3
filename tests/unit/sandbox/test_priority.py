"""The bulk lane's children have the weakest claim on a processor, and cannot take another."""

import psutil
import pytest

from processors.imaging.contract import DEFAULT_PRESETS, Limits
from processors.sandbox import Sandbox
from tests.unit.processors.renderers import picture


@pytest.mark.parametrize(("yields", "nice"), [(True, 19), (False, 0)])
async def test_children_yield_where_they_are_to(yields: bool, nice: int) -> None:
    own = psutil.Process()
    before = own.nice()
    others = set(own.children(recursive=True))
    async with Sandbox(children=1, limits=Limits(), yields=yields) as sandbox:
        with await sandbox.render(picture(), owner="ada", presets=DEFAULT_PRESETS):
            born = set(own.children(recursive=True)) - others
            assert len(born) == 2  # the fork server, and its child
            assert {process.nice() for process in born} == {max(nice, before)}
    assert own.nice() == before
