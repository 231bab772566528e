"""Each promise of the documentation names a test, and that test is there."""

from __future__ import annotations

import ast
import re

from tests.support.markdown import ROOT

PAGE = ROOT / "docs" / "promises.md"
_TEST = re.compile(r"`(tests/\S+\.py)::(\w+)`")


def test_every_test_that_shows_a_promise_is_there() -> None:
    named = _TEST.findall(PAGE.read_text(encoding="utf-8"))
    assert len(named) > 20
    for file, name in named:
        tree = ast.parse((ROOT / file).read_text(encoding="utf-8"))
        functions = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
        assert name in functions, f"{file}::{name}"


def test_every_line_of_a_table_of_promises_names_a_test() -> None:
    tables = PAGE.read_text(encoding="utf-8").split("\n\n")
    promises = [
        row
        for table in tables
        for heading, _, *rows in [[*table.splitlines(), "", ""]]
        if heading.endswith("| Test |")
        for row in rows
        if row
    ]
    assert len(promises) > 20
    assert all(_TEST.search(row) for row in promises)
