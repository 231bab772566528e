"""A gate's answer in the forms that GitHub Actions and GitLab show next to a change."""

from __future__ import annotations

import hashlib
import json
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from feedbench.reports import markdown
from feedbench.reports.sentences.comparisons.gate import answer, details

if TYPE_CHECKING:
    from feedbench.bench.records.checks.gate import Answer, GateRecord

TITLE = "Feedbench gate"
_SEVERITIES: dict[Answer, str] = {"slower": "major", "failed": "critical", "cannot tell": "minor"}


def summary(gate: GateRecord) -> str:
    """Return the job's summary as markdown: the answer, the table, the notes."""
    rows = [
        (arm.spec, *cells) for arm, cells in zip((gate.base, gate.new), _cells(gate), strict=True)
    ]
    titles = ("loader", "images/s", "ratio", "interval", "verdict")
    parts = (
        f"### {TITLE}",
        markdown.bold(answer(gate)),
        markdown.table(titles, rows),
        markdown.bullets(details(gate)),
    )
    return "\n\n".join(parts) + "\n"


def annotation(gate: GateRecord, file: str | None = None) -> str:
    """Return GitHub's workflow command that shows the answer next to the change.

    `file` is the new loader's, below the repository's folder. The format is that of GitHub's
    documentation, "Workflow commands for GitHub Actions".
    """
    level = {"slower": "error", "failed": "error", "not slower": "notice"}.get(
        gate.word, "error" if gate.strict else "warning"
    )
    place = "" if file is None else f"file={_property(file)},"
    return f"::{level} {place}title={_property(TITLE)}::{_escaped(answer(gate))}"


def code_quality(gate: GateRecord, file: str | None = None) -> str:
    """Return GitLab's report of code quality: one issue unless the new loader is not slower."""
    issues = []
    if gate.word != "not slower":
        path = file or gate.new.spec
        fingerprint = hashlib.sha256(f"feedbench gate {gate.base.spec} {gate.new.spec}".encode())
        issues.append(
            {
                "description": answer(gate),
                "check_name": "feedbench-gate",
                "fingerprint": fingerprint.hexdigest(),
                "severity": _SEVERITIES[gate.word],
                "location": {"path": str(PurePosixPath(path)), "lines": {"begin": 1}},
            }
        )
    return json.dumps(issues, indent=2) + "\n"


def metrics(gate: GateRecord) -> str:
    """Return the figures as OpenMetrics text, which GitLab shows in a merge request."""
    figures = {
        "feedbench_ratio": gate.ratio,
        "feedbench_ratio_low": gate.ratio_low,
        "feedbench_ratio_high": gate.ratio_high,
        "feedbench_base_images_per_second": gate.base.rate,
        "feedbench_new_images_per_second": gate.new.rate,
        "feedbench_blocks": gate.blocks,
    }
    lines = [f"{name} {value:.6g}" for name, value in figures.items() if value is not None]
    return "\n".join([*lines, "# EOF"]) + "\n"


def _cells(gate: GateRecord) -> tuple[tuple[str, ...], tuple[str, ...]]:
    from feedbench.reports.text import figures
    from feedbench.reports.text.figures import MISSING, shown

    ratio = shown(gate.ratio), figures.interval(gate.ratio_low, gate.ratio_high, MISSING)
    return (shown(gate.base.rate), "", "", "base"), (shown(gate.new.rate), *ratio, gate.word)


def _escaped(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _escaped(text).replace(":", "%3A").replace(",", "%2C")
