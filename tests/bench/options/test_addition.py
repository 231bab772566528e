"""What --resume adds to a run, as it is typed."""

from __future__ import annotations

import pytest

from feedbench.bench.options.addition import Addition
from feedbench.pipelines.errors import RequestError


@pytest.mark.parametrize(
    ("given", "added"),
    [
        ({}, None),
        ({"blocks": "+4"}, Addition(blocks=4)),
        ({"time": "+5m"}, Addition(seconds=300.0)),
        ({"blocks": "+10", "time": "+1h30m"}, Addition(blocks=10, seconds=5400.0)),
    ],
)
def test_a_plus_before_blocks_and_time_adds_them(
    given: dict[str, str], added: Addition | None
) -> None:
    assert Addition.of(given) == added


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"blocks": "4"}, "expected how many blocks to add, such as +4\nhint: --blocks +4 adds"),
        ({"blocks": "+0"}, "expected how many blocks to add"),
        ({"blocks": "-4"}, "expected how many blocks to add"),
        ({"blocks": "+many"}, "expected how many blocks to add"),
        ({"time": "90s"}, "expected how much time to add, such as +90s\nhint: --time +90s adds"),
        ({"time": "+0s"}, "expected how much time to add"),
        ({"time": "+soon"}, "expected a time such as 90s"),
    ],
)
def test_a_number_without_a_plus_is_refused_by_the_one_with_it(
    given: dict[str, str], words: str
) -> None:
    with pytest.raises(RequestError) as refused:
        Addition.of(given)
    assert words in str(refused.value)
