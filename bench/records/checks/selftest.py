"""The schema of the results of `feedbench selftest`."""

from __future__ import annotations

import msgspec

SCHEMA = 1


class Expectation(msgspec.Struct, frozen=True, kw_only=True):
    """A property that is known in advance, and its measured value."""

    name: str
    expected: str
    measured: str
    passed: bool


class SelfTest(msgspec.Struct, frozen=True, kw_only=True):
    """The results of `feedbench selftest`."""

    schema: int = SCHEMA
    seconds: float
    blocks: int
    disturbed: int  # trials; those next to the neighbour should be
    failures: list[str] = []  # trials that failed, as clauses behind labels
    lines: list[Expectation]

    @property
    def has_passed(self) -> bool:
        """Whether everything was as expected."""
        return all(line.passed for line in self.lines)
