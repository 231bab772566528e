"""Advice: each line has its figure, and without one there is none."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from feedbench.bench.records.diagnosis import (
    Advice,
    Autotune,
    Choice,
    Diagnosis,
    Fixed,
    Stage,
)
from feedbench.bench.records.row import Row
from feedbench.bench.why.advice import advice_of
from tests.support.builders import WORKLOAD, a_preparation, a_row, a_run
from tests.support.runs.diagnoses import CEILINGS, a_trace

AUTOTUNE = Autotune(
    cpu_budget=2,
    ram_budget=2**30,
    choices=[
        Choice(stage="Prefetch", buffer=2, ms=0.1),
        Choice(stage="MapAndBatch", parallelism=1, most_parallelism=2, ms=40.0),
    ],
)


def row(label: str = "a", **given: Any) -> Row:
    usual: dict[str, Any] = {
        "turnover_seconds": 0.01,
        "folder_epoch_seconds": 36.7,
        "knobs": {"cache": "none"},
    }
    return a_row(label, given.pop("rate", 1000.0), **usual | given)


def lines(*rows: Row, **given: Any) -> list[Advice]:
    return advice_of(a_run(*rows), Diagnosis(**given))


def sentences(*rows: Row, **given: Any) -> list[str]:
    return [line.sentence for line in lines(*rows, **given)]


def test_without_figures_there_is_no_advice() -> None:
    assert lines(row()) == []
    assert lines(a_row("a", None), traces={"a": a_trace(decode=1.0)}, source_pixels=1e9) == []


def test_files_with_more_pixels_than_asked_for_should_be_smaller() -> None:
    pixels = 2.1 * 180 * 240
    found = lines(row(), traces={"a": a_trace(decode=0.68, resize=0.32)}, source_pixels=pixels)
    assert [line.sentence for line in found] == [
        (
            "decode takes 68% of its CPU time (0.680 ms per image), and the files have 2.1 times"
            " the pixels that are delivered. Store smaller images (tfrecord_sharded:store=resized)"
            " or the delivered pixels (tfrecord_sharded:store=raw or tfdata_saved), or cache"
            " decoded ones."
        ),
    ]
    assert found[0].figure == "diagnosis.source_pixels"
    few = 1.2 * 180 * 240
    assert not sentences(row(), traces={"a": a_trace(decode=0.68, resize=0.3)}, source_pixels=few)


def test_advice_that_the_run_measured_has_its_figure() -> None:
    pixels = 4.0 * 180 * 240
    traces = {"a": a_trace(decode=0.9)}
    raw = row("raw", rate=4000.0, knobs={"store": "raw"})
    resized = row("resized", rate=2000.0, knobs={"store": "resized"})
    (found,) = sentences(row(), resized, raw, traces=traces, source_pixels=pixels)
    assert found.endswith("Store smaller images, as raw does, at 4.00 times its rate.")
    slower = row("raw", rate=900.0, knobs={"store": "raw"})
    (found,) = sentences(row(), slower, traces=traces, source_pixels=pixels)
    assert "tfrecord_sharded:store=resized" in found
    of_resized = {"resized": a_trace(decode=0.9)}  # the files' pixels are not those of its records
    assert not sentences(resized, traces=of_resized, source_pixels=pixels)


def test_files_of_many_pixels_may_be_decoded_at_a_reduced_scale() -> None:
    pixels = 8.0 * 180 * 240
    traces = {"a": a_trace(decode=0.9)}
    full = row(spec="tfdata_tuned:cache=none")
    (_, found) = sentences(full, traces=traces, source_pixels=pixels)
    scaled = "tfdata_tuned:cache=none,decode=scaled"
    assert found == (
        "decode takes 100% of its CPU time (0.900 ms per image). Decode JPEGs at 1/2, 1/4 or 1/8 of"
        f" their size, to nearly the same pixels. Measure it with -p {scaled}."
    )
    other = row("b", spec=scaled, rate=1500.0, knobs={"decode": "scaled"})
    (_, found) = sentences(full, other, traces=traces, source_pixels=pixels)
    assert found.endswith("b does this, at 1.50 times its rate.")
    of_scaled = row(spec=scaled, knobs={"decode": "scaled"})
    assert len(sentences(of_scaled, traces=traces, source_pixels=pixels)) == 1
    assert len(sentences(full, traces=traces, source_pixels=5.0 * 180 * 240)) == 1
    own = row(spec="loader.py:photos")
    assert len(sentences(own, traces=traces, source_pixels=pixels)) == 1


def test_a_restart_of_a_dataset_with_autotune_names_its_late_end_and_fixed_numbers() -> None:
    costly: dict[str, Any] = {"turnover_seconds": 0.3, "folder_epoch_seconds": 1.0}
    tuned = row(spec="tfdata_tuned:cache=none", autotune=AUTOTUNE, **costly)
    fixed = "tfdata_tuned:cache=none,parallel_calls=2,prefetch=2"
    told = (
        "a restart costs 0.30 s, 30% of an epoch. AUTOTUNE often delays the end of an epoch. Use"
        " repeat() with steps_per_epoch, or numbers in its place and options.autotune.enabled ="
        " False."
    )
    assert sentences(tuned) == [f"{told} Measure it with -p {fixed}."]
    other = row("b", spec=fixed, rate=1010.0)
    (found,) = sentences(tuned, other)
    assert found == f"{told} b does this, at 1.01 times its rate."
    own = row(spec="loader.py:photos", autotune=AUTOTUNE, **costly)
    assert sentences(own) == [told]
    keras = row(spec="image_dataset_from_directory:cache=none", autotune=AUTOTUNE, **costly)
    assert sentences(keras) == [told]  # its numbers leave AUTOTUNE on
    served = row(autotune=AUTOTUNE, received_bytes_per_image=577e3, **costly)
    assert not any("AUTOTUNE" in line for line in sentences(served))


def test_an_op_of_a_persons_own_is_named_and_comes_first() -> None:
    trace = a_trace(MatMul=5.0, decode=0.9, resize=0.3)
    found = sentences(row(turnover_seconds=8.0), traces={"a": trace}, source_pixels=1e7)
    assert found[0].startswith("MatMul takes 81% of its CPU time (5.00 ms per image), which is")
    assert found[1].startswith("a restart costs 8.00 s, 22% of an epoch")


def test_python_is_named_with_the_cores_that_it_uses_and_the_function() -> None:
    trace = a_trace([Stage(name="PIL.decode", ms=0.9)], Python=1.8)
    one = row(spec="image_data_generator", cpu_seconds_per_1000_images=1.0)  # at 1,000 images/s
    assert sentences(one, traces={"a": trace}) == [
        (
            "one Python thread does the work and uses 1.00 cores. Python takes 100% of its CPU"
            " time (1.00 ms per image), 50% of it in PIL.decode. Decode in tf.data, or in several"
            " processes. Measure it with -p tfdata_tuned."
        ),
    ]
    idle = row(cpu_seconds_per_1000_images=0.1)  # it waits for something, and does no work
    assert "one Python thread" not in sentences(idle, traces={"a": trace})[0]
    many = row(cpu_seconds_per_1000_images=1.9)
    assert "which run on all cores. Measure it with" in sentences(many, traces={"a": trace})[0]


@pytest.mark.parametrize(("folder", "is_read"), [("s3://b/in", False), ("gs://b/in", True)])
def test_no_pipeline_is_advised_that_cannot_read_the_store(folder: str, is_read: bool) -> None:
    ours = row(spec="threads", cpu_seconds_per_1000_images=2.5)
    run = a_run(ours, workload=replace(WORKLOAD, folder=folder))
    (line, *_) = advice_of(run, Diagnosis(traces={"a": a_trace([], Python=1.8)}))
    assert line.spec == ("tfdata_tuned" if is_read else "tfrecord_sharded")
    assert ("TensorFlow cannot read that store. Read it once" in line.sentence) != is_read


@pytest.mark.parametrize("workers", ["auto", 8])
def test_threads_that_get_one_core_of_a_noisy_machine_are_not_called_one_thread(
    workers: Any,
) -> None:
    many = row(
        spec="threads", knobs={"workers": workers}, cpu_seconds_per_1000_images=1.1
    )  # at 1,000 images/s
    (unsampled,) = sentences(many, traces={"a": a_trace(Python=1.8)})
    assert "thread" not in unsampled
    own = row(spec="loader.py:photos", cpu_seconds_per_1000_images=1.1)
    sampled = replace(a_trace(other=0.9, decode=0.1), is_sampled=True)
    (found,) = sentences(own, traces={"a": sampled})
    assert "thread" not in found
    (found,) = sentences(own, traces={"a": a_trace(Python=1.8)})  # nothing shows its threads
    assert found.startswith("like one thread, it uses 1.10 cores. Python takes 100%")


def test_one_thread_that_samples_show_is_named_with_its_largest_stage() -> None:
    sampled = replace(a_trace(decode=0.7, other=0.3), is_sampled=True, is_one_thread=True)
    one = row(cpu_seconds_per_1000_images=1.0)
    assert sentences(one, traces={"a": sampled}) == [
        (
            "one Python thread does the work and uses 1.00 cores. Decode takes 70% of its CPU time"
            " (0.700 ms per image). Decode in tf.data, or in several threads or processes. Measure"
            " it with -p tfdata_tuned."
        ),
    ]
    several = replace(sampled, is_one_thread=False)  # they have one core, which others use as well
    assert sentences(one, traces={"a": several}) == []
    unnamed = replace(a_trace(other=0.9, decode=0.1), is_sampled=True, is_one_thread=True)
    assert "Python takes 90% of its CPU time" in sentences(one, traces={"a": unnamed})[0]


def test_what_no_sample_could_name_is_not_pythons_in_a_library_that_shares_its_work_out() -> None:
    unnamed = replace(a_trace(other=0.9, decode=0.1), is_sampled=True)
    library = row(spec="spdl", cpu_seconds_per_1000_images=1.9)
    assert sentences(library, traces={"a": unnamed}) == []
    own = row(spec="loader.py:photos", cpu_seconds_per_1000_images=1.9)
    assert "Python takes 90%" in sentences(own, traces={"a": unnamed})[0]


def test_a_function_that_takes_next_to_nothing_is_not_named() -> None:
    trace = a_trace([Stage(name="numpy.tobytes", ms=0.01)], Python=1.8)
    found = sentences(row(cpu_seconds_per_1000_images=1.9), traces={"a": trace})
    assert "per image). Use TensorFlow's ops instead" in found[0]


def test_a_restart_that_costs_much_of_an_epoch_is_told() -> None:
    assert sentences(row(turnover_seconds=0.3, folder_epoch_seconds=1.0)) == [
        (
            "a restart costs 0.30 s, 30% of an epoch. Use repeat() with steps_per_epoch, or more"
            " images."
        ),
    ]
    restarted = row(turnover_seconds=0.3, folder_epoch_seconds=1.0, continuous=False)
    assert sentences(restarted) == ["a restart costs 0.30 s, 30% of an epoch. Use more images."]
    assert sentences(row(turnover_seconds=0.3, folder_epoch_seconds=10.0)) == []
    assert sentences(row(turnover_seconds=0.003, folder_epoch_seconds=0.03)) == []


def fixed(rate: float, **given: Any) -> Fixed:
    return Fixed(
        label="a", spec="x:parallel_calls=2,prefetch=2", rate=rate, own_rate=1000.0, **given
    )


def test_what_autotune_chose_is_told_where_fixed_values_were_faster() -> None:
    found = lines(row(autotune=AUTOTUNE), fixed=[fixed(1410.0)])
    assert [line.sentence for line in found] == [
        (
            "AUTOTUNE chose 1 of 2 parallel calls. x:parallel_calls=2,prefetch=2 without AUTOTUNE"
            " measured +41%, one trial each."
        ),
    ]
    assert found[0].gain == pytest.approx(0.41)
    assert sentences(row(autotune=AUTOTUNE), fixed=[fixed(1080.0)]) == []
    faster = row(rate=1500.0, autotune=AUTOTUNE)  # in the blocks, than the fixed values
    assert sentences(faster, fixed=[fixed(1410.0)]) == []
    both = Choice(stage="MapAndBatch", parallelism=2, most_parallelism=2, ms=40.0)
    same = row(autotune=Autotune(cpu_budget=2, ram_budget=1, choices=[both]))
    assert sentences(same, fixed=[fixed(1410.0)]) == []


RESTARTS = {"own_turnover_seconds": 0.64, "turnover_seconds": 0.02}
SHORT = row(autotune=AUTOTUNE, folder_epoch_seconds=6.2)  # of whose epochs a restart is a tenth


def test_what_autotune_costs_a_restart_is_told_whatever_it_chose_and_gained() -> None:
    spec = "x:parallel_calls=2,prefetch=2"
    told = [f"without AUTOTUNE a restart took 0.02 s instead of 0.64 s, with {spec}."]
    assert sentences(SHORT, fixed=[fixed(1030.0, **RESTARTS)]) == told
    both = Choice(stage="MapAndBatch", parallelism=2, most_parallelism=2, ms=40.0)
    same = replace(SHORT, autotune=Autotune(cpu_budget=2, ram_budget=1, choices=[both]))
    assert sentences(same, fixed=[fixed(1410.0, **RESTARTS)]) == told
    (gain, restart) = lines(SHORT, fixed=[fixed(1410.0, **RESTARTS)])
    assert gain.sentence.startswith("AUTOTUNE chose 1 of 2 parallel calls")
    assert restart.gain == pytest.approx(0.1)


def test_a_restart_that_autotune_costs_little_or_nobody_timed_is_not_spoken_of() -> None:
    long = replace(SHORT, folder_epoch_seconds=36.7)
    assert sentences(long, fixed=[fixed(1030.0, **RESTARTS)]) == []
    tiny = {"own_turnover_seconds": 0.04, "turnover_seconds": 0.001}
    brief = replace(SHORT, folder_epoch_seconds=0.5)
    assert sentences(brief, fixed=[fixed(1030.0, **tiny)]) == []
    for name in RESTARTS:
        assert sentences(SHORT, fixed=[fixed(1030.0, **RESTARTS | {name: None})]) == []


def test_gzip_is_told_what_it_costs_and_saves_beside_the_same_records_without_it() -> None:
    plain = row("plain", preparation=a_preparation(), knobs={"compression": "none"})
    packed = row("gzip", preparation=a_preparation(), knobs={"compression": "gzip"})
    traces = {"plain": a_trace(read=0.05, decode=0.2), "gzip": a_trace(read=0.25, decode=0.75)}
    assert sentences(plain, packed, traces=traces) == [
        (
            "inflating GZIP takes 20% of its CPU time (0.200 ms per image) and saves 0.0% of the"
            " bytes. Leave it out, as plain does, at 1.00 times its rate."
        ),
    ]
    assert sentences(packed, traces={"gzip": traces["gzip"]}) == []


def test_a_pipeline_that_is_near_its_ceiling_is_told_what_is_left() -> None:
    decoding = {"a": a_trace(decode=0.6, resize=0.4)}
    assert sentences(row(), ceilings=CEILINGS, traces=decoding) == [
        (
            "it reaches 95% of the rate of decoding alone on all cores. To go faster, decode less,"
            " use more cores, or cache decoded images."
        ),
    ]
    over = sentences(row(rate=1092.0), ceilings=CEILINGS, traces=decoding)
    assert over[0].startswith(
        "it reaches 104% of the rate of decoding alone on all cores (one trial, slower than this"
        " rate). To"
    )
    slow = row(rate=800.0)
    assert sentences(slow, ceilings=CEILINGS, traces=decoding) == []
    for other in (row(rate=1300.0), row()):  # far beyond it, or hardly decoding: another matter
        trace = (
            decoding if other.rate == 1300.0 else {"a": a_trace(resize=0.2, read=0.2, scale=0.1)}
        )
        assert sentences(other, ceilings=CEILINGS, traces=trace) == []


def test_what_is_about_most_comes_first() -> None:
    found = lines(
        row(turnover_seconds=0.3, folder_epoch_seconds=1.0),
        row("b", turnover_seconds=0.6, folder_epoch_seconds=1.0),
    )
    assert [line.label for line in found] == ["b", "a"]


def test_each_line_that_names_a_change_carries_the_spec_that_does_it() -> None:
    pixels = 4.0 * 180 * 240
    (of_size,) = lines(row(), traces={"a": a_trace(decode=0.9)}, source_pixels=pixels)
    assert (of_size.spec, of_size.times) == ("tfrecord_sharded:store=resized", None)
    raw = row("raw", rate=4000.0, knobs={"store": "raw"}, spec="tfrecord_sharded:store=raw")
    (of_size,) = lines(row(), raw, traces={"a": a_trace(decode=0.9)}, source_pixels=pixels)
    assert (of_size.spec, of_size.times) == ("tfrecord_sharded:store=raw", 4.0)
    (of_calls,) = lines(row(autotune=AUTOTUNE), fixed=[fixed(1410.0)])
    assert of_calls.spec == "x:parallel_calls=2,prefetch=2"
    assert of_calls.times == pytest.approx(1.41)


def test_a_spec_that_the_run_measured_has_its_figure_however_it_is_written() -> None:
    own = row(rate=100.0, cpu_seconds_per_1000_images=20.0)
    tuned = row("t", rate=400.0, spec="tfdata_tuned:cache=memory")
    (found,) = lines(own, tuned, traces={"a": a_trace(Python=1.8)})
    assert found.sentence.endswith("on all cores. t does this, at 4.00 times its rate.")
    assert (found.spec, found.times) == ("tfdata_tuned", 4.0)


def test_a_pipeline_at_its_ceiling_is_shown_the_cache_that_its_spec_has() -> None:
    decoding = {"a": a_trace(decode=0.6, resize=0.4)}
    at_it = row(spec="tfdata_tuned:cache=none,prefetch=2")
    (found,) = lines(at_it, ceilings=CEILINGS, traces=decoding)
    assert found.spec == "tfdata_tuned:cache=memory,prefetch=2"
    assert found.sentence.endswith("Measure it with -p tfdata_tuned:cache=memory,prefetch=2.")
