"""What a store refuses for good is told with the store's own word for it, and nothing else of its answer."""

import pytest
from botocore.exceptions import ClientError
from obstore.exceptions import PermissionDeniedError, UnauthenticatedError

from adapters.object_store import StoreRefused, StoreUnavailable
from adapters.object_store.control import failure
from adapters.object_store.failures import meaning

SAID = "403 Forbidden: <Error><Code>RequestTimeTooSkewed</Code><Message>Now it is later.</Message></Error>"


def test_the_hot_path_tells_the_code_of_a_refusal() -> None:
    told = meaning(PermissionDeniedError(SAID), "a/key")
    assert isinstance(told, StoreRefused)
    assert told.code == "RequestTimeTooSkewed"
    assert "later" not in str(told)


@pytest.mark.parametrize("answer", ["401", "<Code></Code>", f"<Code>{'x' * 99}</Code>", "<Code>a b</Code>"])
def test_an_answer_without_a_code_has_none(answer: str) -> None:
    told = meaning(UnauthenticatedError(answer), "a/key")
    assert isinstance(told, StoreRefused)
    assert told.code is None


@pytest.mark.parametrize(
    ("code", "status", "kind"),
    [
        ("RequestTimeTooSkewed", 403, StoreRefused),
        ("SlowDown", 503, StoreUnavailable),
        ("InternalError", 500, StoreUnavailable),
    ],
)
def test_the_other_path_tells_it_too(code: str, status: int, kind: type[Exception]) -> None:
    answer = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    told = failure(ClientError(answer, "CopyObject"), "a/key")  # type: ignore[arg-type]  # a part of it
    assert type(told) is kind
    assert not isinstance(told, StoreRefused) or told.code == code
