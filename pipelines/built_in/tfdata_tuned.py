"""tf.data as TensorFlow's performance guide teaches it: parallel calls, cache, prefetch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from feedbench.pipelines.built_in.tail_knobs import TailKnobs

if TYPE_CHECKING:
    from pathlib import Path

    from feedbench.pipelines.contract import Feed, Until, Workload


@dataclass(frozen=True, kw_only=True)
class TfdataTuned(TailKnobs):
    """Tuned tf.data: parallel calls and prefetch by AUTOTUNE, delivered images cached."""

    def open(
        self, workload: Workload, prepared: Path, scratch: Path, until: Until | None = None
    ) -> Feed:
        """Return the files' dataset."""
        from feedbench.pipelines.built_in import steps

        feed: Feed = steps.files_dataset(workload, self, scratch, until)
        return feed
