"""The failure policy, row by row of its table, and that the catalogue of codes knows what it says."""

import pytest

from processors.failure_policy import BAD_ENDS, Verdict, judge, lost
from processors.failures import Exhaustion, Interruption, Outage, Refusal, Unfit
from schemas.codes import is_failure


@pytest.mark.parametrize(
    ("error", "bad_ends", "kind", "code", "retryable", "will_retry", "dead_letter"),
    [
        (Refusal("corrupt"), 0, "refused", "corrupt", False, False, False),
        (Exhaustion("timeout"), 0, "exhausted", "timeout", True, False, False),
        (Outage("store_unavailable"), 0, "unavailable", "store_unavailable", True, False, True),
        (Interruption("shutdown"), 2, "interrupted", "shutdown", True, True, False),
        (Interruption("rebalance"), 0, "interrupted", "rebalance", True, True, False),
        (Unfit("shutdown"), 0, "interrupted", "shutdown", True, True, False),
        (ValueError("a bug"), 0, "internal", "unexpected_error", True, True, False),
        (ValueError("a bug"), 1, "internal", "unexpected_error", True, True, False),
        (ValueError("a bug"), BAD_ENDS - 1, "internal", "unexpected_error", True, False, True),
    ],
)
def test_what_each_error_calls_for(
    error: Exception,
    bad_ends: int,
    kind: str,
    code: str,
    retryable: bool,
    will_retry: bool,
    dead_letter: bool,
) -> None:
    verdict = judge(error, bad_ends)
    assert verdict == Verdict(
        kind=kind, code=code, retryable=retryable, will_retry=will_retry, dead_letter=dead_letter
    )
    assert verdict.settled is not will_retry
    assert is_failure(kind, code)


def test_a_record_that_takes_its_workers_with_it_ends_as_a_fault_of_ours() -> None:
    verdict = lost()
    assert is_failure(verdict.kind, verdict.code)
    assert (verdict.kind, verdict.will_retry, verdict.dead_letter) == ("internal", False, True)


@pytest.mark.parametrize(
    "code", ["store_unavailable", "original_incomplete", "key_unavailable", "presets_unavailable"]
)
def test_the_catalogue_knows_every_outage_that_we_say(code: str) -> None:
    assert is_failure("unavailable", code)
