from __future__ import annotations

from msgspec.structs import replace

from feedbench.reports.sentences.citation import citation
from tests.support.builders import ENVIRONMENT, a_row, a_run

PACKAGES = {"feedbench": "0.1.0", "tensorflow": "2.21.0", "numpy": "2.4.6"}


def test_a_run_is_cited_with_its_version_its_machine_and_its_date() -> None:
    run = a_run(a_row("a"), environment=replace(ENVIRONMENT, packages=PACKAGES))
    assert citation(run) == (
        "Measured with Feedbench 0.1.0, TensorFlow 2.21.0 and Python 3.11.7 on 1 January 2026."
        " The machine: a processor, 2 of 2 cores, 8.59 GB of memory, Linux."
    )


def test_a_version_or_a_date_that_is_not_known_is_not_made_up() -> None:
    text = citation(a_run(a_row("a"), started_at="yesterday"))
    assert text.startswith(
        "Measured with Feedbench (version not known) and Python 3.11.7 on yesterday."
    )
