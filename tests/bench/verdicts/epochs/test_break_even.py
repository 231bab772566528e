from __future__ import annotations

from typing import Any

import msgspec
import pytest

from feedbench.bench.records.row import Row
from feedbench.bench.records.trial import BreakEven
from feedbench.bench.verdicts.epochs.break_even import with_preparations
from feedbench.bench.verdicts.turns.block_rates import BlockRate
from tests.support.builders import a_preparation

MADE = msgspec.structs.replace(a_preparation(), seconds=30.0)


def a_row(label: str, epoch: float | None, rate: float | None = 1.0) -> Row:
    return Row(label=label, spec=label, blocks=6, rate=rate, folder_epoch_seconds=epoch)


def rates(factor: float, blocks: int = 6) -> dict[int, BlockRate]:
    """Rates that differ a little from block to block."""
    return {block: BlockRate(factor * (1000 + 10 * (block % 2))) for block in range(1, blocks + 1)}


def pays(
    rows: list[Row], by_label: dict[str, dict[int, BlockRate]], **given: Any
) -> list[tuple[str, float | None]]:
    usual: dict[str, Any] = {"share": 1.0, "threshold": 0.0}
    row = next(
        row
        for row in with_preparations(rows, {"records": MADE}, by_label, **usual | given)
        if row.label == "records"
    )
    assert row.preparation is not None
    return [(each.against, each.epochs) for each in row.preparation.break_even]


ROWS = [a_row("files", 10.0), a_row("records", 4.0)]


def test_it_has_paid_for_itself_when_the_epochs_have_saved_what_it_took() -> None:
    assert pays(ROWS, {"files": rates(1), "records": rates(2)}) == [("files", 5.0)]


def test_for_a_folder_of_which_a_tenth_was_prepared_all_of_it_must_be_paid() -> None:
    assert pays(ROWS, {"files": rates(1), "records": rates(2)}, share=0.1) == [("files", 50.0)]


def test_what_is_not_shown_to_be_faster_never_pays() -> None:
    same = {
        block: BlockRate(each.rate * (1.02 if block % 3 else 0.97))
        for block, each in rates(1).items()
    }
    assert pays(ROWS, {"files": rates(1), "records": same}) == [("files", None)]
    assert pays(ROWS, {"files": rates(1), "records": rates(0.5)}) == [("files", None)]


def test_what_is_faster_by_less_than_the_control_was_off_never_pays() -> None:
    close = {"files": rates(1), "records": rates(1.04)}
    assert pays(ROWS, close, threshold=0.05) == [("files", None)]
    assert pays(ROWS, close, threshold=0.03) == [("files", 5.0)]


def test_a_faster_rate_whose_epochs_are_longer_never_pays_and_is_still_called_faster() -> None:
    slow_to_restart = [a_row("files", 4.0), a_row("records", 4.5)]
    by_label = {"files": rates(1), "records": rates(2)}
    assert pays(slow_to_restart, by_label) == [("files", None)]
    [_, row] = with_preparations(
        slow_to_restart, {"records": MADE}, by_label, share=1.0, threshold=0.0
    )
    assert row.preparation is not None
    assert [each.is_faster for each in row.preparation.break_even] == [True]


@pytest.mark.parametrize(
    ("by_label", "given"),
    [
        ({"files": rates(1, 3), "records": rates(2, 3)}, {}),
        ({"files": rates(1), "records": rates(2)}, {"threshold": None}),
        ({"files": rates(1)}, {}),
    ],
    ids=["under four blocks", "withheld", "not measured"],
)
def test_where_too_little_is_known_nothing_is_told(
    by_label: dict[str, dict[int, BlockRate]], given: dict[str, Any]
) -> None:
    assert pays(ROWS, by_label, **given) == []


def test_it_is_compared_with_every_pipeline_that_has_no_preparation() -> None:
    rows = [*ROWS, a_row("zipped", 8.0), a_row("cached", 1.0), a_row("failed", None, None)]
    by_label = {"files": rates(1), "records": rates(2), "cached": rates(9), "zipped": rates(1)}
    both = with_preparations(
        rows, {"records": MADE, "zipped": MADE}, by_label, share=1.0, threshold=0.0
    )
    preparations = {row.label: row.preparation for row in both}
    assert preparations["files"] is preparations["cached"] is preparations["failed"] is None
    assert preparations["records"] is not None
    assert preparations["records"].break_even == [
        BreakEven(against="files", epochs=5.0, is_faster=True),
        BreakEven(against="cached", epochs=None, is_faster=False),
    ]
