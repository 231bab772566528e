"""Which pipelines decode in every epoch, so that more of them can be measured."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from feedbench.bench.records.diagnosis import Trace
from feedbench.bench.records.row import Row
from feedbench.pipelines import catalog
from feedbench.pipelines.built_in.tail_knobs import TailKnobs
from feedbench.pipelines.catalog import Spec


def fastest_uncached(
    rows: Mapping[str, Row],
    specs: Mapping[str, Spec],
    traces: Mapping[str, Trace],
    datasets: Collection[str] = (),
) -> tuple[Row | None, Row | None]:
    """Return the fastest tf.data pipeline that decodes in every epoch, and the fastest built-in.

    Only built-in pipelines have knobs to fix. A user's pipeline counts if it is tf.data, and its
    trace, recorded after caches are full, still decodes. AUTOTUNE's choices show that it is
    tf.data, or its iterator: then it is in `datasets`.
    """
    ours, theirs = list[Row](), list[Row]()
    for label, row in rows.items():
        if specs[label].is_foreign:
            trace = traces.get(label)
            decodes = trace is not None and trace.ms_of("decode") > 0
            is_tf_data = label in datasets or row.autotune is not None
            if is_tf_data and decodes and row.knobs.get("cache", "none") == "none":
                theirs.append(row)
            continue
        has_knobs = issubclass(catalog.class_of(specs[label]), TailKnobs)
        if has_knobs and row.knobs.get("cache") == "none":
            ours.append(row)

    def fastest(candidates: list[Row]) -> Row | None:
        return max(candidates, key=lambda row: row.rate or 0.0, default=None)

    return fastest([*ours, *theirs]), fastest(ours)
