"""The schema of the results of `feedbench verify`."""

from __future__ import annotations

import msgspec

from feedbench.bench.records.proof import Proof, is_equal
from feedbench.bench.records.run import WorkloadRecord

SCHEMA = 1


class Verified(msgspec.Struct, frozen=True, kw_only=True):
    """The result for one pipeline."""

    label: str
    spec: str
    proof: Proof | None = None  # null: it failed
    failure: str | None = None  # a clause behind the label


class Verification(msgspec.Struct, frozen=True, kw_only=True):
    """The results of `feedbench verify`."""

    schema: int = SCHEMA
    workload: WorkloadRecord
    pipelines: list[Verified]

    @property
    def is_equal(self) -> bool:
        """Whether every pipeline delivers the same or nearly the same images."""
        return all(is_equal(one.proof) for one in self.pipelines)
