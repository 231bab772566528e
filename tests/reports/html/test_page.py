"""The page as text; what a browser makes of it is tested in tests/browser."""

from __future__ import annotations

import html
import json
import math
import re
from pathlib import Path

import msgspec
import pytest

from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.conditions.usage import GpuUsage, Latency
from feedbench.bench.records.run import LeftOut, PipelineRecord, RunRecord
from feedbench.pipelines.errors import RequestError
from feedbench.reports.html import page
from feedbench.reports.sentences.answer import answer
from feedbench.reports.sentences.notes import notes
from feedbench.reports.text.figures import MISSING
from tests.support.builders import (
    ENVIRONMENT,
    SCRIPT,
    a_distance,
    a_part,
    a_preparation,
    a_proof,
    a_row,
    a_run,
    a_run_folder,
    a_trial,
    compared,
    empty_row,
    trials_of,
)
from tests.support.html.large import a_large_run_folder
from tests.support.html.reader import Reader, hashed, without_own_scripts

RUN = a_run(a_row("naive"), compared("tuned", 4.5, "faster"), best=["tuned"])
TRIALS = trials_of({"naive": [1000] * 4, "tuned": [4500] * 4})


def cells(run: RunRecord, table: str, label: str) -> list[str]:
    """A row's cells, without its label."""
    rows = Reader(page.render(run, [])).tables[table]
    (found,) = [row[1:] for row in rows if row[0] == label]
    return found


def words(run: RunRecord) -> str:
    """All of a page's text outside its style and charts, in one line."""
    text = re.sub(r"<(style|svg|script).*?</\1>", " ", page.render(run, []), flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]*>", "", text)).split())


def test_the_answer_stands_first_and_the_rest_in_the_order_that_a_reader_asks() -> None:
    text = page.render(RUN, TRIALS)
    parts = [answer(RUN), "How sure: ", "Ratios <small>", "<svg", "Rates <small>", "<svg"]
    parts += ["Speed</h3>", "What it costs</h2>", "<svg", "Total time</h3>", "Phases and batch"]
    parts += ["Resources</h3>", "Equal work</h2>", "How calm the machine was</h2>"]
    parts += ["Every block in time order</h2>", "<svg", "Notes</h2>", "Workload and machine</h2>"]
    parts += ["Knobs in effect</h3>", "How to repeat it</h2>", "<pre", "How to read it</h2>"]
    places = [text.index("<body>")]
    for part in parts:
        places.append(text.index(part, places[-1] + 1))
    assert places == sorted(places)
    assert f"<h1>{answer(RUN)}</h1>" in text


def test_the_speed_of_each_pipeline_is_shown() -> None:
    speed = Reader(page.render(RUN, TRIALS)).tables["speed"]
    assert speed[1] == ["naive", "1,000", "2.0", *[MISSING] * 5]
    assert speed[2] == ["tuned", "4,500", "2.0", "4.50", "4.41-4.59", "faster", MISSING, MISSING]


def test_phases_and_latency_are_shown_with_their_units() -> None:
    latency = Latency(batches=90, p50=0.00131, p95=0.02, p99=0.03, longest=0.635)
    run = a_run(a_row("a", latency=latency))
    expected = ["0.532", "4.40", "0.012", "3.67", "1.31", "20.0", "30.0", "635"]
    assert cells(run, "phases", "a") == expected
    titles = Reader(page.render(run, [])).tables["phases"][0]
    assert titles[1:] == [
        "first batch s",
        "first epoch s",
        "turnover s",
        "epoch s",
        "latency p50 ms",
        "latency p95 ms",
        "latency p99 ms",
        "latency longest ms",
    ]


def test_the_epoch_of_a_part_is_the_whole_folders_and_called_extrapolated() -> None:
    part = a_part(a_run(a_row("a")))
    assert cells(part, "phases", "a")[3] == "36.7"
    assert "epoch, extrapolated s" in Reader(page.render(part, [])).tables["phases"][0]


def test_resources_are_shown_and_a_zero_that_was_measured_stays_a_zero() -> None:
    gpu = GpuUsage(name="H200", utilisation=0.0, memory_bytes="not available", watts=210.0)
    row = a_row(
        "a",
        cpu_seconds_per_1000_images=1.056,
        cpu_utilisation=0.91,
        peak_memory_bytes=833_000_000,
        read_bytes_per_image=0.0,
        gpus=[gpu],
    )
    said = "H200: 0.0% active, memory not available, 210 W"
    assert cells(a_run(row), "resources", "a") == ["1.06", "91.0", "833 MB", "0 B", MISSING, said]


def test_no_gpu_is_said_and_never_a_zero() -> None:
    assert cells(a_run(a_row("a", gpus="no GPU")), "resources", "a")[-1] == "no GPU"


def test_a_preparation_is_compared_with_the_photos_and_with_those_that_have_none() -> None:
    found = msgspec.structs.replace(
        a_preparation(tuned=None, naive=142.3, other=None), was_found=True
    )
    proof = a_proof("different", from_sampled=a_distance(3.2), from_filtered=a_distance(1.87))
    row = a_row("records", preparation=found, knobs={"compression": "none"}, proof=proof)
    assert cells(a_run(row), "preparation", "records") == [
        "1,000",
        "2.10",
        "37.1 MB",
        "8",
        "1.3% less than the photos' own files",
        "2026-01-01 22:10 UTC, by an earlier run",
        (
            "143 epochs, compared with naive; never, compared with tuned and other: it is not shown"
            " to be faster"
        ),
        "1.87",
    ]


def test_what_is_no_record_of_the_photos_is_not_compared_with_their_files() -> None:
    row = a_row("mine", preparation=a_preparation())
    assert cells(a_run(row), "preparation", "mine")[4] == MISSING


def test_of_a_part_the_page_says_what_the_preparation_and_what_the_epochs_are_of() -> None:
    whole = a_run(a_row("a"), a_row("records", preparation=a_preparation(a=3)))
    titles = Reader(page.render(a_part(whole), [])).tables["preparation"][0]
    assert titles[2:4] == ["took s for 512 images", "written for 512 images"]
    assert titles[-2] == "pays for itself after epochs of all 3,670"
    assert "Seconds and bytes are for the 512 images measured" in words(a_part(whole))
    assert "images measured;" not in words(whole)


def test_it_is_said_that_the_photos_came_from_memory_and_whose_seconds_a_found_one_shows() -> None:
    text = words(RUN)
    assert "The photos had just been read, so they came from memory" in text
    assert "The time ends when everything is on the disk" in text
    assert "A reused preparation shows its original cost" in text


def test_where_nothing_was_prepared_it_is_said() -> None:
    assert "None of these pipelines prepared anything" in words(RUN)


def test_figures_that_are_missing_or_no_numbers_show_as_a_dash() -> None:
    odd = a_row("odd", math.nan, ratio=math.inf, ratio_low=math.nan, turnover_seconds=math.nan)
    run = a_run(a_row("a"), odd, empty_row("mine"), best=["odd"])
    assert cells(run, "speed", "odd") == [MISSING] * 7
    assert cells(run, "resources", "mine") == [MISSING] * 6
    assert not re.search(r"\b(nan|inf|None(?! of these))\b", words(run))


def test_what_was_noted_which_knobs_were_in_effect_and_on_what_machine_is_told() -> None:
    row = a_row("mine", spec="tfdata_tuned", knobs={"cache": "none", "deterministic": True})
    text = words(a_run(row, command=["feedbench", "run", "my photos"]))
    for note in notes(a_run(row)):
        assert note in text
    for said in ("tfdata_tuned: cache=none deterministic=true", "numpy 2.4.6", "Python 3.11.7"):
        assert said in text
    assert "feedbench run 'my photos'" in text
    assert "daisy (1,670), rose (1,000), tulip (1,000)" in text


def test_each_failed_trial_is_listed_with_how_it_ended() -> None:
    trials = [
        a_trial(2, "b", ended="failed", why="it raised OSError: gone", exit_code=1, last_words="x"),
        a_trial(0, "b", ended="failed", why="it was killed", signal=9, purpose="pilot"),
        a_trial(3, "b", ended="interrupted", windows=[]),
    ]
    rows = Reader(page.render(a_run(a_row("a"), empty_row("b", "it raised")), trials)).tables
    assert rows["failed"][1:] == [
        ["b", "block 2", "it raised OSError: gone", "exit code 1", "x"],
        ["b", "pilot", "it was killed", "signal 9", MISSING],
    ]
    assert rows["speed"][2][-3:] == ["failed", MISSING, MISSING]


def test_where_nothing_was_measured_the_page_begins_with_why() -> None:
    failed = a_trial(1, "a", ended="failed", why="it raised OSError: gone", windows=[])
    nothing = page.render(a_run(empty_row("a", "it raised"), control=None, blocks=0), [failed])
    assert nothing.index('id="failed"') < nothing.index('id="ratios"')
    some = page.render(RUN, [*TRIALS, failed])
    assert some.index('id="failed"') > some.index('id="notes"')


def test_a_run_without_failures_has_no_such_table() -> None:
    assert "failed" not in Reader(page.render(RUN, TRIALS)).tables


@pytest.mark.parametrize("status", ["interrupted", "running"])
def test_that_a_run_was_not_completed_is_said(status: str) -> None:
    assert "This run was not completed" not in words(RUN)
    unfinished = words(msgspec.structs.replace(RUN, status=status))
    assert "This run was not completed" in unfinished


def test_pipelines_are_beside_themselves_in_the_other_environment() -> None:
    rates = {"a": [900] * 5, "a @old": [1000] * 5}
    run = a_run(
        a_row("a", 900.0),
        a_row("a @old"),
        pipelines=[PipelineRecord("a", "a", "a"), PipelineRecord("a @old", "a", "a-old", "a")],
        against=Other(python="/old/bin/python", name="old", environment=ENVIRONMENT, code=""),
    )
    text = page.render(run, trials_of(rates))
    assert "a is slower by more than 5%. Rates are in images/s" in text
    (_, row) = Reader(text).tables["against"]
    assert row == ["a", "1,000", "900", "0.900", "0.900-0.900", "slower"]
    assert "Compared with old" not in page.render(RUN, TRIALS)


def test_nothing_of_a_label_or_a_message_is_read_as_markup() -> None:
    row = compared(SCRIPT, 2, "faster", remarks=[SCRIPT], failures=[SCRIPT], knobs={SCRIPT: SCRIPT})
    trial = a_trial(1, SCRIPT, ended="failed", why=SCRIPT, last_words=SCRIPT, windows=[])
    run = a_run(a_row("a"), row, best=[SCRIPT], command=["feedbench", SCRIPT])
    text = page.render(run, [*trials_of({"a": [1000], SCRIPT: [2000]}), trial])
    assert "<script" not in without_own_scripts(text).lower()
    title = "<h1>&lt;script&gt;alert(1)&lt;/script&gt; is the fastest"
    assert title in text.replace("<wbr>", "")


def test_a_page_holds_no_control_characters_wherever_they_were() -> None:
    odd = "b\x1b[31m\x00\x9b\x7f"
    row = compared(odd, 2, "faster", remarks=[odd], failures=[odd], knobs={odd: odd})
    trial = a_trial(1, odd, ended="failed", why=odd, last_words=odd, windows=[])
    run = a_run(a_row("a"), row, best=[odd], command=["feedbench", odd])
    text = page.render(run, [*trials_of({"a": [1000], odd: [2000]}), trial])
    assert all(char.isprintable() or char == "\n" for char in text)
    assert r"<h1>b\x1b[31m\x00\x9b\x7f is the fastest" in text


def test_the_page_asks_the_network_for_nothing_and_may_not() -> None:
    text = page.render(RUN, TRIALS)
    reader = Reader(text)
    policies = [
        attributes["content"]
        for _, attributes in reader.elements
        if attributes.get("http-equiv") == "Content-Security-Policy"
    ]
    script = hashed(re.findall(r"<script>(.*?)</script>", text, re.DOTALL)[0])
    expected = f"default-src 'none'; script-src '{script}'; style-src 'unsafe-inline'"
    assert policies == [f"{expected}; img-src data:"]
    for tag, attributes in reader.elements:
        assert tag not in {"link", "img", "iframe", "object"}
        assert not {"src", "srcset", "onclick", "onload"} & attributes.keys()
        assert (attributes.get("href") or attributes.get("xlink:href") or "#").startswith("#")
    assert not re.search(r"url\((?!#)|@import", text)


def test_every_link_leads_to_a_part_of_the_page() -> None:
    elements = Reader(page.render(RUN, TRIALS)).elements
    ids = {attributes.get("id") for _, attributes in elements}
    links = [(a["href"] or "").removeprefix("#") for tag, a in elements if tag == "a"]
    assert len(links) > 8
    assert set(links) <= ids


def test_the_data_is_in_the_page_once_as_json() -> None:
    odd = a_row("odd", math.nan, spec=f"</script>{SCRIPT}&\u2028\x7f")
    run = a_run(a_row("naive"), odd)
    (text,) = re.findall(r'id="data">([^<]*)</script>', page.render(run, TRIALS))
    found = json.loads(text)
    assert [row["spec"] for row in found["run"]["rows"]] == ["naive", odd.spec]
    assert found["run"]["rows"][1]["rate"] is None
    assert [each["images_per_second"] for each in found["blocks"]][:4] == [1000] * 4
    assert text.isascii()
    assert text.isprintable()


def test_a_reader_who_hears_the_page_is_told_what_each_thing_is() -> None:
    text = page.render(RUN, TRIALS)
    elements = Reader(text).elements
    assert ("html", {"lang": "en"}) in elements
    assert "<title>Feedbench: photos</title>" in text
    assert all(attributes.get("scope") for tag, attributes in elements if tag == "th")
    ids = [attributes["id"] for _, attributes in elements if "id" in attributes]
    assert len(ids) == len(set(ids))
    named = " ".join(a["aria-labelledby"] or "" for _, a in elements if "aria-labelledby" in a)
    assert set(named.split()) <= set(ids)


def test_the_same_run_gives_the_same_page() -> None:
    assert page.render(RUN, TRIALS) == page.render(RUN, TRIALS)


@pytest.mark.thorough
def test_a_page_of_20_pipelines_and_30_blocks_is_under_a_megabyte_and_a_half(
    tmp_path: Path,
) -> None:
    text = page.read(a_large_run_folder(tmp_path / "R"))
    assert len(text.encode()) < 1_500_000
    assert text.count("data:image/webp") == 21
    assert text.count("<details") == 20 + 1  # each as code, and what AUTOTUNE chose


def test_a_page_is_written_into_its_run_folder_and_nothing_else_is_left(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path, RUN, TRIALS)
    before = set(folder.iterdir())
    assert page.write(folder) == folder / "report.html"
    assert set(folder.iterdir()) - before == {folder / "report.html"}
    assert (folder / "report.html").read_text(encoding="utf-8") == page.render(RUN, TRIALS)
    assert (folder / "report.html").stat().st_mode & 0o777 == 0o644


def test_a_page_that_cannot_be_written_is_one_sentence_that_says_what_to_do(tmp_path: Path) -> None:
    folder = a_run_folder(tmp_path, RUN, TRIALS)
    (folder / "report.html").mkdir()
    sentence = r"report\.html: Is a directory\nhint: name another file with --out"
    with pytest.raises(RequestError, match=sentence):
        page.write(folder)
    with pytest.raises(RequestError, match=r"cannot write .*: No such file"):
        page.write(folder, folder / "nowhere" / "page.html")
    assert not list(folder.glob(".report*"))


def test_each_image_that_was_left_out_is_listed_with_its_reason() -> None:
    left_out = [
        LeftOut(file="cats/<script>alert(1)</script>.jpg", reason="an empty file"),
        LeftOut(file="dogs/2.png", reason="TensorFlow does not decode TIFF"),
    ]
    work = msgspec.structs.replace(RUN.workload, left_out=left_out)
    text = page.render(msgspec.structs.replace(RUN, workload=work), TRIALS)
    assert Reader(text).tables["left-out"][1:] == [[image.file, image.reason] for image in left_out]
    assert "<script>" not in without_own_scripts(text)
    assert "Images left out" not in page.render(RUN, TRIALS)
