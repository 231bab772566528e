"""What xprof says of a trace; and that whatever fails is a clause, and no error."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from feedbench.bench.why.trace_reader import Reading, reading_of
from feedbench.bench.why.trace_reader_task import interpreted, read

OPS: dict[str, Any] = {
    "cols": [{"id": "type"}, {"id": "total_self_time"}, {"id": "operation"}],
    "rows": [
        {"c": [{"v": "DecodeJpeg"}, {"v": 12.5}, {"v": "DecodeJpeg"}]},
        {"c": [{"v": "IDLE"}, None, {"v": "IDLE"}]},
    ],
}
BOUND = (
    "Your program is HIGHLY input-bound because 95.8% of the total step time sampled is waiting for"
    " input. Therefore, you should first focus on reducing the input time."
)


def test_ops_are_read_by_the_names_of_their_columns() -> None:
    found = interpreted(json.dumps(OPS), None)
    assert found.ops == [("DecodeJpeg", "DecodeJpeg", 12.5), ("IDLE", "IDLE", 0.0)]
    assert (found.conclusion, found.input_bound, found.why_not) == (None, None, None)


def test_the_conclusion_and_its_share_are_found() -> None:
    found = interpreted(
        json.dumps([OPS]),
        json.dumps([{"cols": [], "rows": [], "p": {}}, {"p": {"input_conclusion": BOUND}}]),
    )
    assert found.conclusion == BOUND
    assert found.input_bound == pytest.approx(0.958)


def test_a_trace_without_steps_has_no_conclusion() -> None:
    said = "No step time measured. Therefore we cannot tell where the performance bottleneck is."
    assert interpreted(None, json.dumps({"p": {"input_conclusion": said}})).conclusion is None


def test_a_folder_without_a_trace_is_said_to_be_one(tmp_path: Path) -> None:
    found = reading_of(tmp_path, tmp_path / "log")
    assert found == Reading(why_not="the profiler wrote no trace")


@pytest.mark.parametrize("content", [b"", b"no trace at all" * 100])
def test_a_broken_trace_is_a_clause(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "vm.xplane.pb").write_bytes(content)
    found = reading_of(tmp_path, tmp_path / "log")
    assert found.why_not is not None or found.ops == []


def test_without_xprof_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "vm.xplane.pb").write_bytes(b"")
    monkeypatch.setitem(sys.modules, "xprof.convert", None)
    assert str(read(tmp_path).why_not).startswith("xprof cannot be imported (")


class OtherTools:
    """An xprof whose tools have other names, or that cannot read."""

    def __init__(self, tools: list[str]) -> None:
        self._tools = tools

    def xspace_to_tool_names(self, _: list[str]) -> list[str]:
        return self._tools

    def xspace_to_tool_data(self, _: list[str], tool: str, __: dict[str, Any]) -> tuple[str, str]:
        raise RuntimeError(f"no {tool} here")


def with_tools(monkeypatch: pytest.MonkeyPatch, tools: list[str]) -> None:
    import types

    module = types.ModuleType("xprof.convert")
    module.raw_to_tool_data = OtherTools(tools)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "xprof.convert", module)


def test_an_xprof_whose_tools_have_other_names_is_said_to_be_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vm.xplane.pb").write_bytes(b"")
    with_tools(monkeypatch, ["op_statistics", "framework_op_stats"])
    assert read(tmp_path).why_not == (
        "this xprof has no input_pipeline_analyzer: it has framework_op_stats, op_statistics"
    )


def test_an_xprof_that_raises_is_said_to_do_so(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "vm.xplane.pb").write_bytes(b"")
    with_tools(monkeypatch, ["input_pipeline_analyzer", "framework_op_stats"])
    assert read(tmp_path).why_not == (
        "xprof cannot read it (RuntimeError: no framework_op_stats here)"
    )


def test_a_process_that_fails_or_says_nothing_is_a_clause(tmp_path: Path) -> None:
    assert str(reading_of(tmp_path, tmp_path / "log", python="/bin/false").why_not).startswith(
        "xprof ended with exit code 1"
    )
    assert str(reading_of(tmp_path, tmp_path / "log", python="/bin/true").why_not).startswith(
        "xprof gave no readable result"
    )
    assert str(reading_of(tmp_path, tmp_path / "log", python="/nowhere").why_not).startswith(
        "xprof gave no readable result"
    )
