"""What a gate writes for the system that runs it, unasked: GitHub Actions or GitLab."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path

from feedbench.bench import files
from feedbench.bench.gate.gate import Outcome
from feedbench.pipelines.catalog import spec_of
from feedbench.reports import ci

SUMMARY = "summary.md"
CODE_QUALITY = "gl-code-quality-report.json"
METRICS = "metrics.txt"


def write(outcome: Outcome, out: Path, variables: Mapping[str, str] = os.environ) -> None:
    """Write the annotation and the summary of a gate, by the variables of the environment.

    Where a file cannot be written, print why on standard error: the answer stands.
    """
    gate = outcome.record
    try:
        if variables.get("GITHUB_ACTIONS") == "true":
            file = _below(gate.new.spec, variables.get("GITHUB_WORKSPACE"))
            # On standard error, where it is found as well: standard output may be JSON.
            print(ci.annotation(gate, file), file=sys.stderr, flush=True)
        if (summary := variables.get("GITHUB_STEP_SUMMARY")) is not None:
            with Path(summary).open("a", encoding="utf-8") as stream:
                stream.write(ci.summary(gate) + "\n")
        if variables.get("GITLAB_CI") == "true":
            file = _below(gate.new.spec, variables.get("CI_PROJECT_DIR"))
            files.replace(out / SUMMARY, ci.summary(gate))
            files.replace(out / CODE_QUALITY, ci.code_quality(gate, file))
            files.replace(out / METRICS, ci.metrics(gate))
    except OSError as error:
        print(f"feedbench: cannot write {error.filename}: {error.strerror}", file=sys.stderr)


def _below(text: str, folder: str | None) -> str | None:
    """Return the path of a loader's file below the repository; None if it is not there."""
    spec = spec_of("new", text)
    if not spec.is_file or folder is None:
        return None
    real, root = Path(os.path.realpath(spec.name)), Path(os.path.realpath(folder))
    return real.relative_to(root).as_posix() if real.is_relative_to(root) else None
