"""A verification's report, for people and for programs."""

from dataclasses import asdict
from typing import Any, Final

from rich.console import Console
from rich.table import Table

from ops.variants.checking import OUTCOMES, Finding
from ops.variants.verifying import Report
from processors.variants.keys import encoder_hash
from schemas.events import Encoder

_SHOWN: Final = 100
_SHORT: Final = 8


def plain(report: Report) -> dict[str, Any]:
    """The report as JSON has it: every finding, each encoder in full."""
    return {
        "assets": report.assets,
        "sets": report.sets,
        "clean": report.clean,
        "outcomes": {outcome: report.outcomes[outcome] for outcome in OUTCOMES if report.outcomes[outcome]},
        "encoder": asdict(report.encoder),
        "encoders": [
            asdict(encoder) | {"ours": encoder == report.encoder, "outcomes": outcomes}
            for encoder, outcomes in _by_encoder(report).items()
        ],
        "findings": [_plain(finding) for finding in report.findings],
    }


def tell(report: Report, console: Console) -> None:
    """Tables that are read at 80 columns; of many findings the first."""
    console.print(f"assets: {report.assets:,}, sets of variants: {report.sets:,}")
    for outcome in OUTCOMES:
        if count := report.outcomes[outcome]:
            console.print(f"  {_words(outcome)}: {count:,}")
    if report.findings:
        console.print(_findings(report.findings[:_SHOWN]))
    if (more := len(report.findings) - _SHOWN) > 0:
        console.print(f"and {more:,} more; --json has them all.")
    for encoder, outcomes in _by_encoder(report).items():
        said = ", ".join(f"{count:,} {_words(outcome)}" for outcome, count in outcomes.items())
        mark = ", ours" if encoder == report.encoder else ""
        console.print(f"encoder {_short(encoder)}{mark}: {said or 'made none of these'}", highlight=False)
        for name, version in asdict(encoder).items():
            console.print(f"  {name} {version}", highlight=False)


def _findings(findings: list[Finding]) -> Table:
    table = Table(box=None, pad_edge=False)
    for name in ("asset", "set", "encoder"):
        table.add_column(name, no_wrap=True)
    table.add_column("outcome", overflow="fold")
    for finding in findings:
        said = ", ".join((*finding.variants, *((finding.detail,) if finding.detail else ())))
        table.add_row(
            str(finding.asset_id),
            (finding.preset_set or "")[:_SHORT],
            "" if finding.made_by is None else _short(finding.made_by),
            _words(finding.outcome) + (f": {said}" if said else ""),
        )
    return table


def _plain(finding: Finding) -> dict[str, Any]:
    return asdict(finding) | {"asset_id": str(finding.asset_id)}


def _by_encoder(report: Report) -> dict[Encoder, dict[str, int]]:
    """What came of each encoder's sets: ours first, though it may have made none."""
    said: dict[Encoder, dict[str, int]] = {report.encoder: {}}
    for (encoder, outcome), count in sorted(
        report.encoders.items(), key=lambda one: OUTCOMES.index(one[0][1])
    ):
        said.setdefault(encoder, {})[outcome] = count
    return said


def _short(encoder: Encoder) -> str:
    """As the keys of what it made have it."""
    return encoder_hash(encoder)[:_SHORT]


def _words(outcome: str) -> str:
    return outcome.replace("_", " ")
