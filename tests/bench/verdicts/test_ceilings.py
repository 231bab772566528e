from __future__ import annotations

from feedbench.bench.records.diagnosis import Ceiling, Diagnosis
from feedbench.bench.verdicts.ceilings import binding
from tests.support.builders import a_row
from tests.support.runs.diagnoses import CEILINGS, a_trace

READ, DECODE, READY = CEILINGS


def test_the_ceiling_that_binds_is_the_lowest_of_what_a_pipeline_does() -> None:
    diagnosis = Diagnosis(ceilings=CEILINGS)
    uncached = a_row("a", knobs={"cache": "none"})
    assert binding(uncached, diagnosis) == DECODE
    assert binding(a_row("a", knobs={"cache": "memory"}), diagnosis) == READY
    for place, ceiling in {"encoded": DECODE, "decoded": READY, "batched": READY}.items():
        kept = a_row("a", knobs={"cache": "file", "cache_at": place})
        assert binding(kept, diagnosis) == ceiling
    assert binding(uncached, Diagnosis()) is None
    theirs = a_row("a", knobs={})
    assert binding(theirs, diagnosis) is None
    decoding = Diagnosis(ceilings=CEILINGS, traces={"a": a_trace(decode=0.6, MatMul=0.4)})
    assert binding(theirs, decoding) == DECODE


def test_keras_generator_decodes_in_every_epoch_whatever_its_trace_tells() -> None:
    python = {"keras": a_trace(Python=2.0)}
    diagnosis = Diagnosis(ceilings=CEILINGS, traces=python)
    keras = a_row("keras", spec="image_data_generator:interpolation=nearest", knobs={"x": 1})
    assert binding(keras, diagnosis) == DECODE
    theirs = a_row("keras", spec="loader.py:photos", knobs={})
    assert binding(theirs, diagnosis) is None
    slow_disk = Ceiling(name="read", rate=400.0)
    assert binding(keras, Diagnosis(ceilings=[slow_disk, DECODE])) == slow_disk


def test_threads_decode_in_every_epoch_even_if_no_sampler_shows_it() -> None:
    diagnosis = Diagnosis(ceilings=CEILINGS)
    threads = a_row("threads", spec="threads:workers=2", knobs={"workers": 2, "decode": "full"})
    assert binding(threads, diagnosis) == DECODE


def test_reduced_decoding_has_a_ceiling_of_its_own() -> None:
    scaled = Ceiling(name="scaled decode", rate=2 * DECODE.rate)
    knobs = {"cache": "none", "decode": "scaled"}
    row = a_row("a", knobs=knobs)
    assert binding(row, Diagnosis(ceilings=[*CEILINGS, scaled])) == scaled
    assert binding(row, Diagnosis(ceilings=CEILINGS)) is None
    threads = a_row("threads", spec="threads:decode=scaled", knobs={"decode": "scaled"})
    assert binding(threads, Diagnosis(ceilings=[*CEILINGS, scaled])) == scaled


def test_stored_pixels_are_bound_by_ready_batches_and_smaller_images_by_nothing_measured() -> None:
    diagnosis = Diagnosis(ceilings=CEILINGS)
    assert binding(a_row("a", knobs={"cache": "none", "store": "encoded"}), diagnosis) == DECODE
    assert binding(a_row("a", knobs={"cache": "none", "store": "raw"}), diagnosis) == READY
    assert binding(a_row("a", knobs={"cache": "none", "store": "resized"}), diagnosis) is None
    cached = {"cache": "memory", "cache_at": "encoded", "store": "resized"}
    assert binding(a_row("a", knobs=cached), diagnosis) is None
