"""The chart of ratios as a file of its own."""

from __future__ import annotations

import io
from xml.etree import ElementTree as ET

import numpy as np
import pytest
from PIL import Image
from scipy import ndimage

from feedbench.reports.charts import pictures
from feedbench.reports.charts.pictures import Form
from feedbench.reports.sentences.citation import citation
from feedbench.reports.tables import frames
from tests.support.builders import HOSTILE, a_row, a_run, compared, trials_of

RUN = a_run(a_row("naive"), compared("tuned", 4.0, "faster"), best=["tuned"])
TRIALS = trials_of({"naive": [1000] * 4, "tuned": [3900, 3950, 4050, 4100]})
FORMS = ["svg", *(pytest.param(form, marks=pytest.mark.thorough) for form in ("png", "pdf"))]
DOT = (100, 137, 178)  # the colour of the second pipeline, with a fifth of the ground


def drawn(form: Form) -> bytes:
    found = pictures.ratios(RUN, frames.blocks(RUN, TRIALS), form)
    assert found is not None
    return found


def test_an_svg_has_its_text_as_text_and_names_the_baseline_and_how_to_cite_it() -> None:
    root = ET.fromstring(drawn("svg"))
    texts = ["".join(each.itertext()) for each in root.iter("{http://www.w3.org/2000/svg}text")]
    assert {"tuned", "4.00, faster"} <= set(texts)
    assert "times the rate of naive, on a logarithmic scale" in texts
    assert citation(RUN) in "".join(root.itertext())


def test_a_png_is_fit_for_print_on_white_with_a_dot_a_block() -> None:
    with Image.open(io.BytesIO(drawn("png"))) as image:
        assert image.width > 2000
        assert image.info["Description"] == citation(RUN)
        colours = np.asarray(image.convert("RGB"), int)
    assert (colours[0, 0] == 255).all()
    parts, _ = ndimage.label(np.abs(colours - DOT).max(axis=2) < 16)
    sizes = np.bincount(parts.ravel())[1:]
    assert sum(sizes > 200) == 4  # pixels: a dot has 340, and what is left is edges of letters


def test_a_pdf_has_the_fonts_that_journals_take() -> None:
    found = drawn("pdf")
    assert found.startswith(b"%PDF-")
    assert b"/Type3" not in found
    assert b"/FontFile2" in found


@pytest.mark.parametrize("form", FORMS)
def test_the_same_run_is_the_same_file_whenever_it_is_drawn(form: Form) -> None:
    assert drawn(form) == drawn(form)
    assert b"Date" not in drawn(form)


@pytest.mark.parametrize("form", FORMS)
def test_labels_of_any_letters_are_drawn(form: Form) -> None:
    run = a_run(a_row(HOSTILE[2]), *(compared(label, 2, "faster") for label in HOSTILE))
    assert pictures.ratios(run, frames.blocks(run, []), form)


def test_without_a_ratio_there_is_no_picture() -> None:
    run = a_run(a_row("a"))
    assert pictures.ratios(run, frames.blocks(run, []), "png") is None
