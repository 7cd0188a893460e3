"""Addresses of objects stay the same inside a window, and hold for at least one more."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

from hypothesis import given
from hypothesis import strategies as st

from adapters.object_store import InMemoryObjectStore
from api.addresses import Addresses
from api.etags import matches

WINDOW = timedelta(hours=1)
SIGNED = Addresses(store=InMemoryObjectStore(), window=WINDOW)
MOMENTS = st.datetimes(datetime(2020, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001


@given(MOMENTS, st.timedeltas(timedelta(0), WINDOW))
def test_an_address_is_stable_in_its_window_and_outlives_it(now: datetime, span: timedelta) -> None:
    later = now + span
    first = SIGNED.view("a/b", now=now, content_type="image/jpeg")
    second = SIGNED.view("a/b", now=later, content_type="image/jpeg")
    assert (first == second) == (SIGNED.number(now) == SIGNED.number(later))
    expires = datetime.fromisoformat(parse_qs(urlsplit(first).query)["expires"][0])
    assert expires - now > WINDOW - timedelta(seconds=1)


def test_on_a_cdn_addresses_are_permanent_and_quoted() -> None:
    cdn = Addresses(store=InMemoryObjectStore(), window=WINDOW, cdn_url="https://cdn.example.org")
    moments = (datetime(2026, 1, 1, tzinfo=UTC), datetime(2027, 1, 1, tzinfo=UTC))
    shown = {cdn.view("a/b c.jpg", now=now, content_type="image/jpeg") for now in moments}
    saved = {cdn.save("a/b c.jpg", now=now, content_type="image/jpeg", file_name="x") for now in moments}
    assert shown | saved == {"https://cdn.example.org/a/b%20c.jpg"}
    assert {cdn.number(now) for now in moments} == {0}


def test_if_none_match() -> None:
    assert matches('"a"', '"a"')
    assert matches('W/"a"', '"a"')
    assert matches('"b" , "a"', '"a"')
    assert matches("*", '"a"')
    assert not matches(None, '"a"')
    assert not matches('"ab"', '"a"')
    assert not matches("", '"a"')
