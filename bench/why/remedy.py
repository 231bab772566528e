"""A change that a line of advice names: the SPEC that does it, and its rate if measured. Pure."""

from __future__ import annotations

import math
from dataclasses import dataclass

from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import digits
from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.errors import RequestError


@dataclass(frozen=True)
class Change:
    """A SPEC that does what a line of advice names."""

    spec: str
    label: str = ""  # of the row that has it; "": the run did not measure it
    times: float | None = None  # that row's rate over this one's

    @property
    def sentence(self) -> str:
        """What it gained, or how to measure it; with a blank before it."""
        if self.times is None:
            return f" Measure it with -p {self.spec}."
        return f" {self.label} does this, at {digits(self.times)} times its rate."


def change(row: Row, run: RunRecord, spec: str) -> Change:
    """Return a change of a row's pipeline, with its figure if the run measured that SPEC."""
    wanted = catalog.spec_of(spec, spec)
    for other in run.rows:
        if other.rate and row.rate and is_same(catalog.spec_of(other.label, other.spec), wanted):
            return Change(spec, other.label, other.rate / row.rate)
    return Change(spec)


def with_knobs(row: Row, **changed: str) -> str | None:
    """Return a row's SPEC with other values of these knobs; None if it does not have them.

    It has none if it is not one of Feedbench's own pipelines.
    """
    try:
        spec = catalog.spec_of(row.label, row.spec)
        if spec.is_foreign:
            return None
        names = {knob.name for knob in knobs.knobs_of(catalog.class_of(spec))}
        catalog.load(spec)
    except RequestError:  # of another version
        return None
    if not changed.keys() <= names:
        return None
    return knobs.spec_text(spec.name, {**catalog.knobs_given(spec), **changed})


def fixed_numbers(cores: float) -> dict[str, str]:
    """Return knobs in place of AUTOTUNE: a call for each core, and two batches prefetched."""
    return {"parallel_calls": str(max(math.ceil(cores), 1)), "prefetch": "2"}


def without_autotune(row: Row, cores: float) -> str | None:
    """Return a row's SPEC with fixed numbers; None if that does not switch AUTOTUNE off."""
    fixed = with_knobs(row, **fixed_numbers(cores))
    if fixed is None or not getattr(catalog.load(catalog.parse(fixed)), "is_fixed", False):
        return None
    return fixed


def is_same(spec: Spec, other: Spec) -> bool:
    """Return whether two SPECs are the same pipeline with the same knobs."""
    if spec.text == other.text:
        return True
    if spec.is_foreign or other.is_foreign:
        return False
    try:
        return catalog.load(spec) == catalog.load(other)
    except RequestError:  # of another version
        return False
