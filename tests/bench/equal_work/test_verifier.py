"""In which order pipelines are proven: time may run out before all are."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from feedbench.bench.equal_work.verifier import Verifier
from feedbench.bench.processes.limit import Limit
from feedbench.bench.records.proof import Proof
from feedbench.pipelines import catalog
from tests.support.builders import a_proof
from tests.support.runs.plans import Notes


class Remembered:
    """Proofs of another run, for every pipeline."""

    def find(self, *_: object) -> Proof:
        return a_proof("same")


def test_the_baseline_comes_first_and_then_the_fastest(workload_file: Path, tmp_path: Path) -> None:
    notes = Notes()
    unused: Any = None
    remembered: Any = Remembered()
    verifier = Verifier(unused, unused, workload_file, tmp_path, remembered, notes)
    specs = catalog.parse_all(("a=tfdata_naive", "b=tfdata_tuned", "c=threads", "d=tfdata_saved"))
    seconds = {"a": 20.0, "b": 30.0, "c": 3.0, "d": 10.0}
    proofs, records = verifier.verify_all(
        specs, tmp_path / "samples", lambda _: Limit(1.0), anew=False, seconds=seconds
    )
    assert [line.partition(":")[0] for line in notes.lines] == ["a", "c", "d", "b"]
    assert {*proofs} == {*seconds}
    assert not records
