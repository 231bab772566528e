"""Which ceilings a run measures. No trial is begun."""

from __future__ import annotations

from pathlib import Path

import pytest

from feedbench.bench.why.ceilings.asked import asked
from feedbench.pipelines.catalog import parse


@pytest.mark.parametrize(
    ("specs", "scheme", "names"),
    [
        (["tfdata_tuned"], "", ["read", "decode", "ready"]),
        (
            ["tfdata_tuned", "threads:decode=scaled"],
            "",
            ["read", "decode", "scaled decode", "ready"],
        ),
        (["tfdata_tuned:decode=scaled"], "gs", ["decode", "scaled decode", "ready"]),
        (["threads:decode=scaled"], "s3", ["ready"]),
        (["loader.py:photos"], "", ["read", "decode", "ready"]),
    ],
)
def test_a_reduced_scale_has_its_ceiling_where_a_pipeline_decodes_so(
    specs: list[str], scheme: str, names: list[str], tmp_path: Path
) -> None:
    ceilings = list(asked([*map(parse, specs)], tmp_path, None, scheme))
    assert [name for name, _, _ in ceilings] == names
    for name, text, until in ceilings:
        assert ("decode=scaled" in text) == (name == "scaled decode")
        assert until == {"read": "read", "ready": "all"}.get(name, "decode")
