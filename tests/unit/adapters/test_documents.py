"""docs/settings.md, docs/metrics.md and .env.example say what the code says."""

import re
from pathlib import Path

import pytest

from adapters.settings import load_settings
from adapters.settings import reference as settings_reference
from adapters.settings.loading import STACK_NAMES, fields, variable
from adapters.telemetry import Metrics
from adapters.telemetry import reference as metrics_reference

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("docs/settings.md", settings_reference.markdown),
        (".env.example", settings_reference.example),
        ("docs/metrics.md", metrics_reference.markdown),
    ],
)
def test_the_document_is_up_to_date(file: str, text: object) -> None:
    assert callable(text)
    assert (ROOT / file).read_text() == text(), (
        f"run `python -m ops docs {'metrics' if 'me' in file else 'settings'}`"
    )


def test_the_example_names_each_setting_once_and_nothing_else() -> None:
    named = re.findall(r"^(?:# )?([A-Z][A-Z0-9_]*)=", (ROOT / ".env.example").read_text(), re.MULTILINE)
    assert sorted(named) == sorted([*(variable(field) for _, _, field in fields()), *STACK_NAMES])


def test_the_example_as_it_stands_changes_nothing() -> None:
    assert load_settings({}, env_file=ROOT / ".env.example") == load_settings({})


def test_the_example_holds_no_secret() -> None:
    text = (ROOT / ".env.example").read_text()
    for name in ("MASTER_KEY", "ID_SECRET", "S3_SECRET_KEY", "DATABASE_URL", "API_KEYS", "KAFKA_PASSWORD"):
        assert re.search(rf"^# {name}=$", text, re.MULTILINE)


def test_each_metric_is_described_once() -> None:
    described = Metrics().catalogue()
    names = [family.name for family in described]
    assert len(names) == len(set(names))
    assert all(family.meaning.endswith(".") for family in described)
