"""What a gate says of a pipeline that does not exist."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.options.commands.gate_options import GateOptions
from feedbench.pipelines.errors import RequestError


@pytest.mark.parametrize(
    ("base", "new", "sentence"),
    [
        ("tfdata_tuned", "no.py:f", "--new no.py:f: there is no file no.py; the working directory"),
        (
            "no.py:f",
            "tfdata_tuned",
            "--base no.py:f: there is no file no.py; the working directory",
        ),
        ("a=tfdata_tund", "threads", "--base a=tfdata_tund: there is no pipeline 'tfdata_tund'"),
        ("threads", "threads:cash=1", "--new threads:cash=1: threads has no knob 'cash'"),
    ],
)
def test_an_error_of_a_pipeline_names_the_option_that_has_it(
    base: str, new: str, sentence: str, tmp_path: Path
) -> None:
    asked = GateOptions(base=base, new=new)
    with pytest.raises(RequestError) as caught:
        asked.of_run({}, tmp_path, begun=0.0)
    assert caught.value.sentence.startswith(sentence)
