from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import msgspec
import pytest

from feedbench.bench.equal_work import proof_cache
from feedbench.bench.equal_work.proof_cache import ProofCache
from feedbench.bench.records.proof import Counts, Proof, Shuffle
from feedbench.pipelines.catalog import parse
from feedbench.pipelines.contract import Workload
from feedbench.pipelines.forms import Fit
from tests.support.builders import workload_over

NAIVE = parse("tfdata_naive")
PROOF = Proof(
    work="same",
    counts=Counts(images=2),
    compared=2,
    shuffle=Shuffle(kind="unknown"),
    made_at="2026-01-01T00:00:00+00:00",
)


@pytest.fixture
def workload(tmp_path: Path) -> Workload:
    for name in ("cats/0.jpg", "dogs/0.jpg"):
        file = tmp_path / "photos" / name
        file.parent.mkdir(parents=True)
        file.write_bytes(b"a photo")
    return workload_over(tmp_path / "photos")


@pytest.fixture
def memory(tmp_path: Path) -> ProofCache:
    return ProofCache(tmp_path / "proofs")


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    """The stem of contact sheets that are there."""
    for name in ("naive.webp", "_reference.webp"):
        (tmp_path / name).write_bytes(name.encode())
    return tmp_path / "naive"


def test_a_proof_is_found_again_with_its_contact_sheets(
    memory: ProofCache, workload: Workload, sheet: Path, tmp_path: Path
) -> None:
    assert memory.find(NAIVE, workload, None) is None
    memory.add(NAIVE, workload, PROOF, sheet)
    (tmp_path / "samples").mkdir()
    proof = memory.find(NAIVE, workload, tmp_path / "samples" / "n")
    assert proof == msgspec.structs.replace(PROOF, is_remembered=True)
    assert (tmp_path / "samples" / "n.webp").read_bytes() == b"naive.webp"
    assert (tmp_path / "samples" / "_reference.webp").read_bytes() == b"_reference.webp"
    assert not (tmp_path / "samples" / "n_full.webp").exists()


def test_another_workload_pipeline_or_knob_has_another_proof(
    memory: ProofCache, workload: Workload, sheet: Path
) -> None:
    memory.add(NAIVE, workload, PROOF, sheet)
    for other in (
        replace(workload, height=33),
        replace(workload, seed=1),
        replace(workload, fit=Fit("crop")),
        replace(workload, normalization="imagenet"),
        replace(workload, dtype="float16"),
        replace(workload, data_format="channels_first"),
        replace(workload, fit=Fit("crop", 0.875)),
        replace(workload, batch_size=9),
        replace(workload, labels=(1, 0)),
        replace(workload, class_names=("cats", "owls")),
        replace(workload, files=workload.files[::-1]),
        replace(workload, dtype="uint8", value_range=(0.0, 255.0)),
        replace(workload, folder_images=3),
    ):
        assert memory.find(NAIVE, other, None) is None
    for spec in ("tfdata_naive:dct=integer_fast", "tfdata_tuned"):
        assert memory.find(parse(spec), workload, None) is None
    assert memory.find(parse("again=tfdata_naive"), workload, None) is not None


def test_a_photo_that_changed_is_compared_anew(
    memory: ProofCache, workload: Workload, sheet: Path
) -> None:
    memory.add(NAIVE, workload, PROOF, sheet)
    os.utime(workload.files[0], ns=(1, 1))
    assert memory.find(NAIVE, workload, None) is None


def test_other_software_is_compared_anew(
    memory: ProofCache, workload: Workload, sheet: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.add(NAIVE, workload, PROOF, sheet)
    monkeypatch.setattr(proof_cache, "software", lambda: {"tensorflow": "9"})
    assert memory.find(NAIVE, workload, None) is None


def test_what_somebody_elses_code_delivers_is_never_remembered(
    memory: ProofCache, workload: Workload, sheet: Path, tmp_path: Path
) -> None:
    (tmp_path / "loader.py").write_text("")
    spec = parse(f"{tmp_path / 'loader.py'}:photos")
    memory.add(spec, workload, PROOF, sheet)
    assert memory.find(spec, workload, None) is None
    assert not (tmp_path / "proofs").exists()


def test_wrong_counts_are_not_remembered(
    memory: ProofCache, workload: Workload, sheet: Path
) -> None:
    memory.add(NAIVE, workload, msgspec.structs.replace(PROOF, is_wrong=True), sheet)
    assert memory.find(NAIVE, workload, None) is None


def test_a_proof_that_was_cut_short_is_compared_anew(
    memory: ProofCache, workload: Workload, sheet: Path, tmp_path: Path
) -> None:
    memory.add(NAIVE, workload, PROOF, sheet)
    (file,) = (tmp_path / "proofs").iterdir()
    file.write_bytes(file.read_bytes()[:-3])
    assert memory.find(NAIVE, workload, None) is None


def test_a_folder_that_cannot_be_written_forgets_and_says_nothing(
    workload: Workload, sheet: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    for memory in (ProofCache(tmp_path / "file" / "proofs"), ProofCache(None)):
        memory.add(NAIVE, workload, PROOF, sheet)
        assert memory.find(NAIVE, workload, None) is None


def test_of_a_proof_that_cannot_be_written_nothing_is_left(
    memory: ProofCache,
    workload: Workload,
    sheet: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(*_: object) -> None:
        raise OSError

    monkeypatch.setattr(Path, "replace", refuse)
    memory.add(NAIVE, workload, PROOF, sheet)
    assert list((tmp_path / "proofs").iterdir()) == []
    Path(workload.files[0]).unlink()  # a photo that goes has no key
    memory.add(NAIVE, workload, PROOF, sheet)
    assert list((tmp_path / "proofs").iterdir()) == []


def test_the_oldest_proofs_make_room(
    memory: ProofCache, workload: Workload, sheet: Path, tmp_path: Path
) -> None:
    memory.add(NAIVE, workload, PROOF, sheet)
    (first,) = (tmp_path / "proofs").iterdir()
    os.utime(first, (1, 1))
    full = ProofCache(tmp_path / "proofs", most_bytes=first.stat().st_size * 2)
    for seed in (1, 2):
        full.add(NAIVE, replace(workload, seed=seed), PROOF, sheet)
    assert not first.exists()
    assert memory.find(NAIVE, replace(workload, seed=2), None) is not None
    assert len(list((tmp_path / "proofs").iterdir())) == 2


def test_a_proof_depends_on_the_measured_part_of_a_split_and_not_on_the_other(
    memory: ProofCache, workload: Workload, sheet: Path
) -> None:
    training = replace(
        workload, subset="training", validation_files=("/a",), validation_labels=(0,)
    )
    memory.add(NAIVE, training, PROOF, sheet)
    other = replace(training, validation_files=("/b",), validation_labels=(1,))
    assert memory.find(NAIVE, other, None) is not None
    fewer = replace(training, files=workload.files[:1], labels=workload.labels[:1])
    assert memory.find(NAIVE, fewer, None) is None
