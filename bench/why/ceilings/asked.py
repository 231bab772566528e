"""Which ceilings a run measures, each by the SPEC of a trial."""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator
from pathlib import Path

from feedbench.bench.machine.cores import usable_cores
from feedbench.bench.records.diagnosis import CeilingName, StoreProbe
from feedbench.bench.records.messages import LastStep
from feedbench.bench.why.ceilings.served_feed import served_spec
from feedbench.bench.why.store.loader import loader_of
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.remote.address import TENSORFLOW

Asked = tuple[CeilingName, str, LastStep]
"""A ceiling's name, the SPEC that measures it, and the last of its steps."""

_SCALED = "decode=scaled"


def asked(
    specs: Collection[Spec], scratch: Path, store: StoreProbe | None, scheme: str
) -> Iterator[Asked]:
    """Yield the ceilings that concern these pipelines; their loaders are written to `scratch`.

    `scheme` is that of the images' addresses; "": they are on this machine.
    """
    cores = max(math.ceil(usable_cores()), 1)
    everywhere = f"tfdata_tuned:cache=none,parallel_calls={cores},deterministic=false"
    loader = scratch / "ready_batch.py"
    loader.write_text(loader_of(store))
    if not scheme:
        yield "read", everywhere, "read"
    elif store is not None:
        yield "read", f"{loader}:reading", "all"
    if not scheme or scheme in TENSORFLOW:
        yield "decode", everywhere, "decode"
        if any(map(_is_scaled, specs)):
            yield "scaled decode", f"{everywhere},{_SCALED}", "decode"
    yield "ready", f"{loader}:ready", "all"
    if client := served_spec(specs, scratch):
        yield "client", client.text, "all"


def _is_scaled(spec: Spec) -> bool:
    return not spec.is_foreign and catalog.knobs_given(spec).get("decode") == "scaled"
