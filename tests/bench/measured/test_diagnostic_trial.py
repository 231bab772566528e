"""Which pipeline a diagnostic trial measures."""

from __future__ import annotations

import pytest

from feedbench.bench.measured.diagnostic_trial import cut_off
from feedbench.pipelines import catalog
from feedbench.pipelines.contract import Until


def test_what_is_not_cut_off_is_the_pipeline_itself() -> None:
    whole = catalog.load(catalog.parse("tfdata_naive"))
    assert cut_off(whole, "all") is whole
    assert cut_off(whole, "") is whole


@pytest.mark.parametrize("until", ["read", "decode", "resize"])
def test_what_is_cut_off_is_another(until: Until) -> None:
    whole = catalog.load(catalog.parse("tfdata_naive"))
    assert cut_off(whole, until) is not whole
