"""Which process takes which file next: one computes from the start, the others begin with real servers."""

from typing import Final

import pytest
from xdist.scheduler import LoadFileScheduling  # type: ignore[import-untyped] # it has no types

WITHOUT_SERVERS: Final = "tests/unit/"
# Seconds on a busy machine of the files that take longest: none of them may begin when all others are done.
SECONDS: Final = {
    "tests/integration/worker/test_outages.py": 200,
    "tests/integration/projections/test_program.py": 140,
    "tests/integration/worker/test_deaths.py": 135,
    "tests/integration/rig/test_storms.py": 120,
    "tests/integration/api/test_outages.py": 90,
    "tests/integration/worker/test_policy.py": 80,
    "tests/integration/stack/test_stack.py": 75,
    "tests/e2e/test_runs.py": 75,
    "tests/integration/subjects/test_erasure.py": 70,
    "tests/integration/rig/test_wires.py": 65,
    "tests/integration/identity/test_tokens.py": 60,
    "tests/integration/projections/test_outages.py": 60,
    "tests/integration/worker/test_membership.py": 60,
    "tests/integration/worker/test_purge.py": 55,
    "tests/e2e/test_faults.py": 50,
    "tests/integration/worker/test_silent.py": 50,
    "tests/integration/subjects/test_commands.py": 45,
    "tests/integration/worker/test_hostile_uploads.py": 45,
    "tests/integration/contract/test_schemas.py": 45,
    "tests/integration/uploads/test_uploads.py": 40,
    "tests/integration/api/test_hostile.py": 40,
    "tests/integration/api/test_live.py": 40,
    "tests/integration/projections/test_beside_program.py": 35,
    "tests/integration/projections/test_rebuild_program.py": 35,
    "tests/integration/projections/test_identity_program.py": 30,
    "tests/integration/projections/test_refusals.py": 30,
    "tests/integration/worker/test_redrive.py": 30,
    "tests/integration/rig/test_doors.py": 30,
    "tests/integration/rig/test_clocks.py": 35,
    "tests/integration/rig/test_backlog.py": 30,
    "tests/integration/rig/test_projectors.py": 30,
    "tests/integration/api/test_limits.py": 30,
    "tests/unit/api/test_schemathesis.py": 60,
    "tests/unit/imaging/test_truncation.py": 40,
    "tests/unit/api/test_stream_bounds.py": 15,
    "tests/unit/sandbox/test_small_machine.py": 15,
    "tests/unit/imaging/test_sample_photograph.py": 15,
}
_OTHERWISE: Final = 10
_A_TEST: Final = 0.1


class HeaviestFirst(LoadFileScheduling):  # type: ignore[misc]
    """Hands out whole files, the longest first.

    Tests with servers mostly wait, those without mostly compute: of three processes the first takes the
    latter, so that both kinds run side by side from beginning to end and the cores are always busy.
    """

    def __init__(self, config: pytest.Config, log: object) -> None:
        super().__init__(config, log)
        self._numbers: dict[object, int] = {}

    def _assign_work_unit(self, node: object) -> None:
        number = self._numbers.setdefault(node, len(self._numbers))
        tests = {name: len(unit) for name, unit in self.workqueue.items()}
        self.workqueue.move_to_end(next_file(tests, computes=number % 3 == 0), last=False)
        super()._assign_work_unit(node)


def next_file(tests: dict[str, int], *, computes: bool) -> str:
    """The file to take, of those that wait (with their numbers of tests; at least one).

    Who computes takes files without servers as long as there are any, who does not takes the others.
    """

    def worth(name: str) -> tuple[bool, float]:
        without = name.startswith(WITHOUT_SERVERS)
        usual = tests[name] * _A_TEST if without else _OTHERWISE
        return without is computes, SECONDS.get(name, usual)

    return max(tests, key=worth)
