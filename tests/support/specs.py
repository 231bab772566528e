"""SPECs as parameters: what is quick of a test over many of them, and what is thorough."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from feedbench.pipelines.catalog import DEFAULT_SPECS


def quick_by_default(specs: Iterable[str]) -> list[Any]:
    """Return the SPECs as parameters; those that are no default pipeline are thorough."""
    return [of_spec(spec, spec) for spec in specs]


def of_spec(spec: str, *values: Any) -> Any:
    """Return the parameters of a case; it is thorough unless its SPEC is a default pipeline."""
    marks = [] if spec in DEFAULT_SPECS else [pytest.mark.thorough]
    return pytest.param(*values, marks=marks)
