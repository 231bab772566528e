"""`feedbench report` of a file that `feedbench.watch` wrote."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.support.programs.front_door import Call
from tests.support.runs.waits import a_watch, write


def test_it_prints_the_sentence_and_the_table_and_writes_a_page(call: Call) -> None:
    write(Path("watch.json"), a_watch())
    done = call("report", "watch.json")
    assert done.code == 0
    sentence, *table = done.out.splitlines()
    assert sentence.startswith("train: the training waited 66.7% of its time for input, 20.0 ms of")
    assert any(line.split()[:3] == ["2", "40", "66.7"] for line in table)
    assert table[-1] == "watch.html"
    page = Path("watch.html").read_text()
    assert "train: the training waited 66.7% of its time" in page
    assert "<svg" in page


def test_it_prints_markdown_csv_and_json(call: Call) -> None:
    write(Path("watch.json"), a_watch())
    assert "| 2 | 40 | 66.7 |" in call("report", "watch.json", "--format", "markdown").out
    lines = call("report", "watch.json", "--format", "csv").out.splitlines()
    assert lines[0] == "first_step,steps,wait_seconds,step_seconds"
    assert len(lines) == 1 + 78
    printed = json.loads(call("report", "watch.json", "--format", "json").out)
    assert printed == json.loads(Path("watch.json").read_text())
    assert [each.name for each in Path.cwd().iterdir()] == ["watch.json"]


def test_it_writes_where_out_says(call: Call) -> None:
    write(Path("watch.json"), a_watch())
    assert call("report", "watch.json", "--out", "page.html").out.splitlines()[-1] == "page.html"
    assert Path("page.html").exists()
    assert not Path("watch.html").exists()


def test_a_training_without_a_step_or_a_batch_has_a_page_too(call: Call) -> None:
    for batches in (0, 1):
        write(Path("watch.json"), a_watch(batches))
        done = call("report", "watch.json")
        assert done.code == 0, done.err
        assert "No step" in Path("watch.html").read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no JSON", "found no JSON object"),
        ("[1, 2]", "found no JSON object"),
        ("{}", "found other JSON"),
        ('{"kind": "watch", "schema": 99}', "expected schema 1; found 99"),
        ('{"kind": "watch", "schema": 1}', "watch.json is broken"),
    ],
)
def test_another_file_is_refused_in_a_sentence(content: str, words: str, call: Call) -> None:
    Path("watch.json").write_text(content)
    done = call("report", "watch.json")
    assert done.code == 2
    assert words in done.err
    assert not Path("watch.html").exists()


def test_a_format_that_does_not_fit_is_refused(call: Call) -> None:
    write(Path("watch.json"), a_watch())
    done = call("report", "watch.json", "--format", "latex")
    assert done.code == 2
    assert "expected html, markdown, csv, json for a file of feedbench.watch" in done.err
