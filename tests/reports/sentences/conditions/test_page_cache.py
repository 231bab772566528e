from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from feedbench.bench.records.conditions.page_cache import PageCacheUse
from feedbench.bench.records.row import Row
from feedbench.reports.sentences.conditions.page_cache import note, state, while_timed
from feedbench.reports.sentences.notes import notes
from tests.support.builders import a_row, a_run


def a_use(**given: Any) -> Row:
    fields: dict[str, Any] = {
        "asked": "cold",
        "files": 600,
        "bytes": 40_000_000,
        "resident": 0.0,
        "read_bytes": 41_600_000.0,
        "trials": 8,
        "certified": 8,
    }
    return a_row("a", page_cache=PageCacheUse(**fields | given))


def test_cold_first_epochs_are_told_with_their_certificate() -> None:
    sentence = (
        "a: its first epochs were cold, certified. 0.0% of its 40.0 MB in 600 files was in memory"
        " before, and 41.6 MB came from the device."
    )
    assert note(a_use()) == sentence
    assert sentence in notes(a_run(a_use()))
    assert state(a_use()) == "cold, certified"


def test_warm_ones_are_no_news() -> None:
    assert note(a_use(asked="warm", resident=1.0, read_bytes=0.0)) is None
    assert note(a_row("a")) is None
    assert state(a_row("a")) == "–"  # noqa: RUF001 - what stands for a missing figure


def test_what_is_not_certified_says_in_how_many_trials_and_why() -> None:
    row = a_use(asked="warm", certified=5, why_not="70% of the files' bytes were resident before")
    assert str(note(row)).startswith(
        "a: its first epochs are not certified warm in 3 of 8 trials (70% of the files' bytes"
        " were resident before). "
    )
    assert state(row) == "warm, not certified"


def test_figures_that_are_not_known_are_said_to_be_unknown() -> None:
    row = a_use(resident=None, read_bytes=None, certified=0, why_not="this system has no mincore")
    assert str(note(row)).endswith(
        ". An unknown part of its 40.0 MB in 600 files was in memory before, and an unknown number"
        " of bytes came from the device."
    )


def test_what_is_known_to_be_otherwise_is_left_out_and_said() -> None:
    row = a_use(certified=6, contradicted=2, why_not="only 30% of the files' bytes were read")
    assert str(note(row)).endswith(" Its first batch and first epoch leave out 2 trials.")
    none = a_use(certified=0, contradicted=8, why_not="only 30% of the files' bytes were read")
    assert str(note(none)).endswith(" So its first batch and first epoch are not shown.")


def test_a_rate_that_came_from_the_device_is_told_to_be_the_devices_as_well() -> None:
    row = a_use(asked="warm", resident=1.0, read_bytes=0.0)
    images = 600
    each = 40_000_000 / images
    slow = replace(row, read_bytes_per_image=0.75 * each)
    assert while_timed(slow, images) == (
        "a: in each timed epoch 75.0% of its files' bytes came from the device. They do not fit in"
        " memory, so its rate includes disk reads."
    )
    for quiet in (0.05 * each, 0.0, None):
        assert while_timed(replace(row, read_bytes_per_image=quiet), images) is None
    assert while_timed(a_row("a", read_bytes_per_image=1e6), images) is None
