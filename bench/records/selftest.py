"""What `feedbench selftest` found: the schema."""

from __future__ import annotations

import msgspec

SCHEMA = 1


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """One thing that is known in advance, and what was measured of it."""

    name: str
    expected: str
    measured: str
    passed: bool


class SelfTest(msgspec.Struct, frozen=True, kw_only=True):
    """What `feedbench selftest` found."""

    schema: int = SCHEMA
    seconds: float
    blocks: int
    disturbed: int  # trials; those beside the neighbour are to be
    failures: list[str] = []  # trials that failed, as clauses behind labels
    lines: list[Expectation]

    @property
    def has_passed(self) -> bool:
        """Whether everything was as expected."""
        return all(line.passed for line in self.lines)
