"""A template may use what its data has, and a page's data is what its template uses."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from importlib.resources import files

import pytest
from jinja2 import meta, nodes

from feedbench.reports.html.comparison_page import ComparisonData
from feedbench.reports.html.page_data import PageData
from feedbench.reports.html.runs_page import RunsData
from feedbench.reports.html.templating import environment

OF_ALL_PAGES = {"script", "script_hash"}
MACROS = {"name", "chart", "figures", "cells", "labelled"}
OF_MACROS = {"colours"}  # which they use, being imported with context


def parsed(template: str) -> Iterator[nodes.Template]:
    """A template, and all that it includes or extends."""
    text = (files("feedbench.reports.html") / "templates" / template).read_text(encoding="utf-8")
    tree = environment().parse(text)
    yield tree
    for other in meta.find_referenced_templates(tree):
        if other is not None and other not in {"macros.html.j2", "page.css"}:
            yield from parsed(other)


@pytest.mark.parametrize(
    ("template", "data"),
    [
        ("page.html.j2", PageData),
        ("comparison.html.j2", ComparisonData),
        ("runs.html.j2", RunsData),
    ],
)
def test_a_template_uses_every_field_of_its_data_and_nothing_else(
    template: str, data: type[PageData | ComparisonData | RunsData]
) -> None:
    used = {name for tree in parsed(template) for name in meta.find_undeclared_variables(tree)}
    there = {field.name for field in fields(data)}
    assert there <= used | OF_MACROS
    assert (
        used - MACROS
        <= OF_ALL_PAGES | {name for name in dir(data) if not name.startswith("_")} | there
    )


@pytest.mark.parametrize(
    ("sentence", "shown"),
    [
        (
            "tfrecord_sharded:cache=none is 1,057 times",
            "tfrecord_sharded:<wbr>cache=<wbr>none is 1,057 times",
        ),
        ("at 1/2, 1/4 or 1/8: cache=memory", "at 1/2, 1/4 or 1/8: cache=memory"),
        ("<b>tfdata_tuned</b>", "&lt;b&gt;tfdata_tuned&lt;/<wbr>b&gt;"),
        ("", ""),
    ],
)
def test_only_long_words_of_a_sentence_may_be_broken(sentence: str, shown: str) -> None:
    assert environment().from_string("{{ text | prose }}").render(text=sentence) == shown
