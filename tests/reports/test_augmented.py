"""Runs and verifications of pipelines that augment, in all their forms."""

from __future__ import annotations

import io

from rich.console import Console

from feedbench.bench.records.checks.verification import Verification, Verified
from feedbench.reports import markdown
from feedbench.reports.html import page
from feedbench.reports.sentences.notes import notes
from feedbench.reports.terminal.verification import show
from tests.support.builders import WORKLOAD, a_row, a_run, compared
from tests.support.html.reader import Reader
from tests.support.pipelines.augmented_proofs import an_augmented_proof, both_ways, transforms

HALVED = an_augmented_proof(transforms(rotation=both_ways(10)))
RUN = a_run(
    a_row("keras", proof=an_augmented_proof()),
    compared("tfdata", 2.0, "faster", proof=an_augmented_proof(transforms(flipped=0.52))),
    compared("mine", 3.0, "withheld", withheld="work", proof=HALVED),
    best=["tfdata"],
)


def test_the_page_shows_the_ranges_next_to_what_was_asked_for() -> None:
    tables = Reader(page.render(RUN, [])).tables
    assert tables["augmented"][0] == [
        "pipeline",
        "recognised images",
        "flipped asked: 50%",
        "rotation, degrees asked: -20 to 20",
        "shift, width asked: -10% to 10%",
        "zoom asked: 0.80 to 1.20",
        "brightness asked: 0.80 to 1.20",
        "pixels grey levels",
    ]
    assert tables["augmented"][3] == [
        *("mine", "596 of 600", "49%", "-10 to 10", "-10% to 10%"),
        *("0.80 to 1.20", "0.80 to 1.20", "2.10"),
    ]
    assert [row[:3] for row in tables["work"][1:]] == [
        ["keras", "augmented", "600, each once"],
        ["tfdata", "augmented", "600, each once"],
        ["mine", "different", "600, each once"],
    ]


def test_a_run_without_augmentation_has_no_such_table() -> None:
    assert "augmented" not in Reader(page.render(a_run(a_row("keras")), [])).tables


def test_notes_say_what_is_recognised_and_who_augments_otherwise() -> None:
    said = list(notes(RUN))
    assert (
        "mine: no verdict, different images: rotated by -10 to 10 degrees (expected -20 to 20)."
        in said
    )
    assert "Augmented as asked, each image once with its label: keras and tfdata." in said
    assert (
        "Their images are 49% to 52% flipped left to right, rotated by -20 to 20 degrees, shifted"
        " sideways by -10% to 10%, zoomed by factors of 0.80 to 1.20, brightened by factors of"
        " 0.80 to 1.20." in said
    )
    text = markdown.render(RUN).replace("\n  ", " ")
    assert "rotated by -10 to 10 degrees" in text
    assert "Their images are 49% to 52% flipped" in text


def test_a_note_at_the_word_says_what_it_does_not_prove() -> None:
    proof = an_augmented_proof(is_identity_proven=False, expected=0.5, certain=300)
    said = list(notes(a_run(a_row("digits", proof=proof))))
    assert any(
        line.startswith("digits (augmented): its images cannot be recognised with certainty")
        for line in said
    )


def test_verify_prints_a_line_of_the_ranges() -> None:
    verified = Verified(label="keras", spec="keras", proof=an_augmented_proof())
    of = Verification(workload=WORKLOAD, pipelines=[verified])
    stream = io.StringIO()
    show(of, Console(file=stream, width=300))
    assert (
        "keras: its images are 49% flipped left to right, rotated by -20 to 20 degrees, shifted"
        " sideways by -10% to 10%, zoomed by factors of 0.80 to 1.20, brightened by factors of"
        " 0.80 to 1.20." in " ".join(stream.getvalue().split())
    )
