"""docs/events.md is what the catalogue says."""

from ops.docs_events import FILE, document
from schemas.catalogue import CATALOGUE


def test_the_document_is_up_to_date() -> None:
    """`python -m ops docs events` writes it."""
    assert FILE.read_text(encoding="utf-8") == document()


def test_it_tells_of_every_event_and_field() -> None:
    text = document()
    for row in CATALOGUE:
        assert f"### {row.name}\n" in text
        assert all(f"`{name}`" in text for name in row.cls.__slots__)
