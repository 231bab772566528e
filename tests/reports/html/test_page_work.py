"""Equal work on the page as text; what a browser makes of it is tested in tests/browser."""

from __future__ import annotations

import html
import re
from pathlib import Path

import msgspec
import pytest

from feedbench.bench.records.proof import Likeness, Proof, Shown
from feedbench.bench.records.run import RunRecord
from feedbench.reports.html import page, sheets
from feedbench.reports.text.figures import MISSING
from tests.support.builders import (
    NOT_COMPARED,
    SCRIPT,
    SHEET,
    a_distance,
    a_proof,
    a_row,
    a_run,
    a_run_folder,
    a_shuffle,
    a_strip,
    compared,
    with_samples,
)
from tests.support.html.reader import Reader, without_own_scripts

ODD = '" onerror="alert(1)\x1b[31m'
NEAR = a_proof("near", shuffle=a_shuffle("partial"))
RUN = a_run(
    a_row("naive", proof=a_proof()),
    compared("keras", 0.5, "slower", proof=NEAR),
    compared("odd", 9, "withheld", withheld="work", proof=a_proof("different")),
    best=["naive"],
)


def hostile(text: str) -> Proof:
    """A proof in which every text from outside is this one."""
    shown = [
        Shown(file=text, class_name=text, delivered_as="rose"),
        Shown(file=text, class_name="rose", delivered_as=text),
        Shown(file=text, class_name=text),
    ]
    distance = msgspec.structs.replace(a_distance(34.9), worst_file=text)
    like = Likeness(name=text, is_fault=True, images=1, distance=0.0)
    return a_proof(
        "different",
        from_sampled=distance,
        from_filtered=distance,
        likeness=like,
        sheet=shown,
        reason=f"its pixels match {text}",
    )


def read(folder: Path, run: RunRecord = RUN) -> str:
    """The page of a run folder with its samples."""
    return page.read(with_samples(a_run_folder(folder / "R", run, []), run))


def attributes(text: str, tag: str) -> list[dict[str, str | None]]:
    return [found for name, found in Reader(text).elements if name == tag]


def plain(text: str) -> str:
    """A page's text outside its style, in one line."""
    text = re.sub(r"<(style|svg).*?</\1>", " ", text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


def test_speed_ends_in_work_and_shuffle() -> None:
    speed = Reader(page.render(RUN, [])).tables["speed"]
    assert speed[0][-3:] == ["verdict", "work", "shuffle images"]
    assert [row[-3:] for row in speed[1:]] == [
        [MISSING, "same", "full"],
        ["slower", "near", "100"],
        ["withheld", "different", "full"],
    ]


def test_equal_work_and_shuffle_have_their_tables_after_speed_and_costs() -> None:
    found = Reader(page.render(RUN, [])).tables
    assert list(found)[:6] == ["speed", "cost", "phases", "resources", "work", "shuffle"]
    assert found["work"][0] == [
        "pipeline",
        "work",
        "images",
        "compared images",
        "from TensorFlow's sampling grey levels",
        "99% under from TensorFlow's",
        "worst image from TensorFlow's",
        "from Pillow's filter grey levels",
        "99% under from Pillow's",
        "worst image from Pillow's",
    ]
    assert found["work"][2] == [
        *("keras", "near", "600, each once", "600"),
        *("1.87", "22.4", "9.35", "0.00", "0.00", "0.00"),
    ]
    assert found["shuffle"][0] == [
        "pipeline",
        "shuffle",
        "ahead images",
        "order with the list",
        "order of neighbours",
        "order with the next epoch's",
        "classes in a batch",
        "classes by chance",
    ]
    assert found["shuffle"][2] == ["keras", "partial", "99", "0.98", "0.91", "0.97", "1.11", "3.00"]


def test_where_nothing_was_compared_the_page_says_so_and_has_no_such_tables() -> None:
    text = page.render(a_run(a_row("naive")), [])
    assert not {"work", "shuffle", "sheets"} & Reader(text).tables.keys()
    assert "Contact sheets" not in text
    assert NOT_COMPARED in plain(text)


def test_why_work_is_not_the_same_is_noted() -> None:
    text = plain(page.render(RUN, []))
    assert "odd: no verdict, different images: its pixels match swapped red and" in text
    assert "keras (near): its pixels are 0.00 grey levels from Pillow's antialiased" in text
    assert "keras shuffles only partly, through about 100 images" in text


def test_a_reader_is_told_what_the_words_mean_and_where_they_end() -> None:
    text = plain(page.render(RUN, []))
    assert "On average, the pixels are within 1.5 grey levels of TensorFlow's sampling rule" in text
    assert "near: the pixels are within 1 of Pillow's antialiased filter" in text
    assert "equal work is not proven, or the verdict depends on which" in text
    assert "verdict depends on which disturbed trials or slow turns are left out" in text


def test_the_sheets_are_pictures_that_say_what_they_show(tmp_path: Path) -> None:
    found = attributes(read(tmp_path), "img")
    assert [image["alt"] for image in found] == [
        "daisy, rose as they should be delivered.",
        *(
            f"Above, daisy, rose as {label} delivers them. Below, how they differ."
            for label in ("naive", "keras", "odd")
        ),
    ]
    strips = sheets.read(tmp_path / "R", RUN)
    assert [image["src"] for image in found] == [strip.source for strip in strips]


def test_each_sheet_is_headed_by_its_pipeline_and_its_work(tmp_path: Path) -> None:
    text = read(tmp_path)
    heads = [plain(head) for head in re.findall(r"<figcaption>.*?</figcaption>", text, re.DOTALL)]
    assert heads == ["the reference", "naive same", "keras near", "odd different"]


def test_a_class_that_is_not_what_it_should_be_stands_out(tmp_path: Path) -> None:
    wrong = [SHEET[0], Shown(file="rose/1.jpg", class_name="rose", delivered_as="tulip")]
    wrong += [Shown(file="rose/2.jpg", class_name="rose")]
    text = read(tmp_path, a_run(a_row("mine", proof=a_proof(sheet=wrong)))).replace("<wbr>", "")
    assert re.findall(r"<li>(.*?)</li>", text[text.index("as mine delivers them") :])[:3] == [
        "daisy",
        "<strong>tulip, not rose</strong>",
        "<strong>rose: not delivered</strong>",
    ]


def test_the_sheet_in_full_is_linked_where_it_is_there(tmp_path: Path) -> None:
    before = attributes(read(tmp_path), "a")
    a_strip(tmp_path / "R" / "samples" / "odd_full.webp")
    found = attributes(read(tmp_path), "a")
    assert [link for link in found if link not in before] == [{"href": "samples/odd_full.webp"}]


def test_a_page_with_sheets_asks_the_network_for_nothing_and_may_not(tmp_path: Path) -> None:
    text = read(tmp_path)
    for tag, found in Reader(text).elements:
        assert tag not in {"link", "iframe", "object"}
        assert (found.get("src") or "data:image/webp;base64,").startswith("data:image/webp;base64,")
        assert not {"srcset", "onclick", "onload", "onerror"} & found.keys()
    assert "<script" not in without_own_scripts(text)
    assert re.search(
        r"default-src 'none'; script-src '[^']*'; style-src [^;]*; img-src data:", text
    )
    assert "http" not in re.sub(r'http-equiv|xmlns(:xlink)?="[^"]*"', "", text)


@pytest.mark.parametrize("text", [SCRIPT, ODD, "</li><img src=x>", "{{ 7 * 7 }}"])
def test_nothing_of_a_class_a_file_or_a_reason_is_read_as_markup(text: str, tmp_path: Path) -> None:
    run = a_run(a_row("naive", proof=a_proof()), a_row("mine", proof=hostile(text)))
    folder = with_samples(a_run_folder(tmp_path / "R", run, []), run)
    found = page.read(folder)
    assert "<script" not in without_own_scripts(found)
    assert [set(image) for image in attributes(found, "img")] == [{"src", "alt", "style"}] * 3
    assert all(char.isprintable() or char == "\n" for char in found)
    shown = text.replace("\x1b", r"\x1b")
    alt = attributes(found, "img")[2]["alt"]
    assert alt is not None
    assert alt.startswith(f"Above, rose, not {shown}, {shown}, not rose, {shown}: not delivered as")
    assert f"mine: no verdict, different images: its pixels match {shown}." in plain(found)


def test_what_the_sheets_are_is_told_with_the_other_files_of_the_run(tmp_path: Path) -> None:
    assert "samples/ the contact sheets" in plain(read(tmp_path))
    assert "samples/" not in page.render(RUN, [])
