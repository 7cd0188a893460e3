"""Each alert asks for a metric that exists, with labels that it has, and names a runbook that helps."""

import re
import shutil
import subprocess
from collections import Counter
from pathlib import Path
from typing import Any, Final, cast

import pytest
import yaml

from adapters.telemetry import Metrics

ROOT: Final = Path(__file__).parents[3]
ALERTS: Final = ROOT / "ops" / "alerts"
RUNBOOKS: Final = ROOT / "docs" / "runbooks"
PARTS: Final = ("**Symptom.**", "**Look.**", "**Act.**")
PROMTOOL: Final = shutil.which("promtool")
# `up` is Prometheus' own.
_METRIC: Final = re.compile(r"\b(?P<name>darkroom_\w+)(?:\{(?P<matchers>[^}]*)\})?")
_VALUES: Final = re.compile(r'(?P<label>\w+)\s*(?:=~|!~|!=|=)\s*"(?P<value>[^"]*)"')


def rules() -> list[dict[str, Any]]:
    said = yaml.safe_load((ALERTS / "darkroom.rules.yml").read_text())
    return [cast("dict[str, Any]", rule) for group in said["groups"] for rule in group["rules"]]


def moments() -> dict[str, list[dict[str, Any]]]:
    """What the rule tests ask of each alert, by its name."""
    said = yaml.safe_load((ALERTS / "darkroom.rules.test.yml").read_text())
    return {
        test["name"]: [*test.get("promql_expr_test", ()), *test.get("alert_rule_test", ())]
        for test in said["tests"]
    }


def catalogue() -> dict[str, tuple[str, ...]]:
    """The labels of each series by its name; a histogram has three."""
    series: dict[str, tuple[str, ...]] = {}
    for family in Metrics().catalogue():
        series[family.name] = family.labels
        if family.kind == "histogram":
            series |= {f"{family.name}_{part}": family.labels for part in ("bucket", "sum", "count")}
    return series


def sections(page: Path) -> dict[str, str]:
    """The sections of a page by the anchors that their headings get."""
    found: dict[str, str] = {}
    for part in page.read_text().split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        found[re.sub(r"[^\w -]", "", heading.lower()).strip().replace(" ", "-")] = text
    return found


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_its_metrics_exist_and_have_these_labels(rule: dict[str, Any]) -> None:
    known = catalogue()
    asked = list(_METRIC.finditer(rule["expr"]))
    assert asked or rule["expr"].startswith("up{")
    for metric in asked:
        assert metric["name"] in known
        named = {match["label"] for match in _VALUES.finditer(metric["matchers"] or "")}
        assert named <= set(known[metric["name"]])


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_its_runbook_tells_the_symptom_where_to_look_and_how_to_act(rule: dict[str, Any]) -> None:
    page, _, anchor = rule["annotations"]["runbook"].partition("#")
    text = sections(ROOT / page)[anchor]
    assert [text.count(part) for part in PARTS] == [1, 1, 1]
    assert rule["annotations"]["summary"].endswith(".")
    assert rule["labels"]["severity"] in {"page", "ticket"}


def test_no_two_alerts_have_one_name_and_every_runbook_is_listed() -> None:
    names = Counter(rule["alert"] for rule in rules())
    assert max(names.values()) == 1
    index = (RUNBOOKS / "README.md").read_text()
    assert [name for name in names if f"`{name}`" not in index] == []
    assert [page.name for page in RUNBOOKS.glob("*.md") if f"({page.name}" not in index] == ["README.md"]


def test_the_labels_that_are_asked_for_can_be_had() -> None:
    """A value that no process ever says would make an alert that never comes."""
    shown = Metrics()
    shown.catalogue()
    lines = [
        (sample.name, sample.labels)
        for family in shown.registry.collect()
        for sample in family.samples
        if sample.name.startswith("darkroom_")
    ]
    for rule in rules():
        for metric in _METRIC.finditer(rule["expr"]):
            for match in _VALUES.finditer(metric["matchers"] or ""):
                said = {labels[match["label"]] for name, labels in lines if name == metric["name"] and labels}
                wanted = set(match["value"].split("|"))
                assert not said or wanted <= said, (rule["alert"], wanted - said)


@pytest.mark.parametrize("rule", rules(), ids=lambda rule: rule["alert"])
def test_there_is_a_moment_in_which_it_comes_and_one_in_which_it_does_not(rule: dict[str, Any]) -> None:
    """What a rule test asks; whether Prometheus answers so is the next test's."""
    asked = moments()[rule["alert"]]
    said = [bool(moment.get("exp_samples") or moment.get("exp_alerts")) for moment in asked]
    assert {True, False} == set(said)
    assert all(f'"{rule["alert"]}"' in moment["expr"] for moment in asked if "expr" in moment)


@pytest.mark.skipif(PROMTOOL is None, reason="no promtool (Debian's package prometheus has it)")
def test_prometheus_own_engine_agrees() -> None:
    assert PROMTOOL is not None
    done = subprocess.run(
        [PROMTOOL, "test", "rules", "darkroom.rules.test.yml"],
        cwd=ALERTS,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert done.returncode == 0, done.stdout + done.stderr
