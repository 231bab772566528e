"""Advice, each line with the figure that supports it; none without one. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from feedbench.bench.records.diagnosis import (
    KNOWN_STAGES,
    OTHER,
    PYTHON,
    REST,
    Advice,
    Choice,
    Diagnosis,
    Fixed,
    Trace,
)
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import capital, digits
from feedbench.bench.verdicts.ceilings import binding
from feedbench.bench.why.remedy import change, with_knobs, without_autotune
from feedbench.bench.why.service_cost import of_service
from feedbench.pipelines import catalog
from feedbench.pipelines.remote.address import TENSORFLOW, is_address, scheme_of

_LARGE = 0.3  # a stage with at least this share of a pipeline's time is worth a line
_MANY_PIXELS = 1.5  # times the pixels that are delivered
_HALF_SIZE = 6.0  # likewise: then most images may be decoded at 1/2, whatever their proportions
_WORTH = 0.05  # a cost, as a share
_GAIN = 0.1  # of one trial over another; two trials may differ by half of that without a reason
_STORED = ("resized", "raw")  # what is stored in place of the photos' own bytes
_TF_DATA, _RESIZED = "tfdata_tuned", "tfrecord_sharded:store=resized"  # SPECs to measure
_RECORDS = "tfrecord_sharded"
_ONCE = "TensorFlow cannot read that store. Read it once, and write record files on this machine."
_LATE_END = (
    "AUTOTUNE often delays the end of an epoch. Use repeat() with steps_per_epoch, or numbers in"
    " its place and options.autotune.enabled = False."
)
_LEAST_TURNOVER = 0.05  # seconds; less would go unnoticed
_BUSY, _ONE_CORE = 0.8, 1.3  # cores in use; one thread that does all the work is between these
_ONE = (0, 1)  # values of the knob `workers` with which one thread does all the work
_ALL = 100  # percent
_NAMED = 0.05  # of a pipeline's time; a function with less explains nothing
_NEAR, _BEYOND = 0.9, 1.1  # of a ceiling, which is one trial: far beyond it is less work


def advice_of(run: RunRecord, diagnosis: Diagnosis) -> list[Advice]:
    """Return all lines of advice, the most costly first."""
    lines: list[Advice] = []
    for row in run.rows:
        if row.rate is None:
            continue
        trace = diagnosis.traces.get(row.label)
        if trace is not None and trace.stages:
            lines += _of_stages(row, trace, run, diagnosis)
        lines += _of_restart(row, run, diagnosis)
        lines += of_service(row, run)
        lines += _of_ceiling(row, run, diagnosis)
    lines += _of_autotune(run, diagnosis)
    lines += _of_gzip(run, diagnosis)
    return sorted(lines, key=lambda line: -line.gain)


def _of_stages(row: Row, trace: Trace, run: RunRecord, diagnosis: Diagnosis) -> Iterator[Advice]:
    """Yield advice on the largest stage."""
    largest = trace.stages[0]
    if largest.name == REST and len(trace.stages) > 1:
        largest = trace.stages[1]
    share = trace.share(largest.name)
    ms = largest.ms
    name = PYTHON if largest.name == OTHER else largest.name  # which no sample could name
    if largest.name == PYTHON and row.cpu_seconds_per_1000_images is not None:
        ms = share * row.cpu_seconds_per_1000_images  # the trace of its calls slowed it down
    takes = f"{name} takes {share:.0%} of its CPU time ({_ms(ms)} per image)"
    if share < _LARGE or (largest.name == OTHER and _is_known_to_share_out(row, trace)):
        return
    if _is_one_thread(row, trace) or name == PYTHON:
        yield _in_python(row, run, trace, name, takes, share)
    elif largest.name not in KNOWN_STAGES:
        sentence = (
            f"{takes}, which is this pipeline's own op. Do it in advance, do less of it, or do it"
            " on a whole batch at once."
        )
        path = f"diagnosis.traces.{row.label}.stages"
        yield Advice(label=row.label, sentence=sentence, figure=path, gain=share)
    elif largest.name == "decode" and diagnosis.source_pixels is not None:
        yield from _of_decoding(row, takes, share, run, diagnosis.source_pixels)


def _is_one_thread(row: Row, trace: Trace) -> bool:
    """Whether samples show that one thread does the work, and it is busy."""
    cores = _cores_in_use(row)
    return trace.is_one_thread and cores is not None and _BUSY <= cores <= _ONE_CORE


def _in_python(
    row: Row, run: RunRecord, trace: Trace, name: str, takes: str, share: float
) -> Advice:
    """Return advice on work in Python or in one thread: what does it elsewhere."""
    folder = run.workload.folder
    is_read = not is_address(folder) or scheme_of(folder) in TENSORFLOW
    does = change(row, run, _TF_DATA if is_read else _RECORDS)
    if name != PYTHON:
        cores = _cores_in_use(row)
        why = (
            f"one Python thread does the work and uses {cores:.2f} cores. {capital(takes)}."
            " Decode in tf.data, or in several threads or processes."
        )
    else:
        why = _of_python(row, takes, trace) if is_read else f"{takes}. {_ONCE}"
    return Advice(
        label=row.label,
        sentence=f"{why}{does.sentence}",
        figure=f"diagnosis.traces.{row.label}.stages",
        gain=share,
        spec=does.spec,
        times=does.times,
    )


def _is_known_to_share_out(row: Row, trace: Trace) -> bool:
    """Whether a library shares the work out: what no sample could name is then not one of Python's.

    An own loader may be slow in Python in any of its threads.
    """
    return not trace.is_one_thread and not catalog.parse(row.spec).is_foreign


def _of_python(row: Row, takes: str, trace: Trace) -> str:
    most = trace.functions[0] if trace.functions else None
    share = most.ms / trace.total_ms if most is not None and trace.total_ms else 0.0
    within = f", {share:.0%} of it in {most.name}" if most and share >= _NAMED else ""
    cores = _cores_in_use(row)
    if cores is None or not _BUSY <= cores <= _ONE_CORE or _has_several(row, trace):
        return f"{takes}{within}. Use TensorFlow's ops instead, which run on all cores."
    is_known = trace.is_one_thread or not catalog.parse(row.spec).is_foreign
    uses = "one Python thread does the work and uses" if is_known else "like one thread, it uses"
    return (
        f"{uses} {cores:.2f} cores. {capital(takes)}{within}."
        " Decode in tf.data, or in several processes."
    )


def _has_several(row: Row, trace: Trace) -> bool:
    """Whether several threads or processes are known to do the work.

    They use no more than one core where other programs have the rest.
    """
    return (trace.is_sampled and not trace.is_one_thread) or row.knobs.get("workers", 1) not in _ONE


def _cores_in_use(row: Row) -> float | None:
    if row.cpu_seconds_per_1000_images is None or row.rate is None:
        return None
    return row.cpu_seconds_per_1000_images * row.rate / 1000


def _of_decoding(
    row: Row, takes: str, share: float, run: RunRecord, source_pixels: float
) -> Iterator[Advice]:
    times = source_pixels / (run.workload.height * run.workload.width)
    if times < _MANY_PIXELS or row.knobs.get("store") in _STORED:  # then records hold fewer
        return
    best = _best_stored(row, run)
    yield Advice(
        label=row.label,
        sentence=(
            f"{takes}, and the files have {digits(times, 2)} times the pixels that are delivered."
            f" {_smaller(row, best)}"
        ),
        figure="diagnosis.source_pixels",
        gain=share * (1 - 1 / times),
        remedy="smaller or cached images",
        spec=_RESIZED if best is None else best.spec,
        times=None if best is None or not best.rate or not row.rate else best.rate / row.rate,
    )
    scaled = with_knobs(row, decode="scaled")
    if scaled is None or times < _HALF_SIZE or row.knobs.get("decode") == "scaled":
        return
    does = change(row, run, scaled)
    yield Advice(
        label=row.label,
        sentence=(
            f"{takes}. Decode JPEGs at 1/2, 1/4 or 1/8 of their size, to nearly the same"
            f" pixels.{does.sentence}"
        ),
        figure="diagnosis.source_pixels",
        gain=share / 2,  # most of a JPEG's decoding is needed at any scale
        spec=does.spec,
        times=does.times,
    )


def _best_stored(row: Row, run: RunRecord) -> Row | None:
    """Return the fastest of the run's records that store fewer pixels, if it is clearly faster."""
    stored = [other for other in run.rows if other.rate and other.knobs.get("store") in _STORED]
    best = max(stored, key=lambda other: other.rate or 0.0, default=None)
    is_faster = best and best.rate and row.rate and best.rate > (1 + _GAIN) * row.rate
    return best if is_faster else None


def _smaller(row: Row, best: Row | None) -> str:
    """Return what avoids decoding, and what that gained if the run measured it."""
    if best is not None and best.rate and row.rate:
        times = digits(best.rate / row.rate)
        return f"Store smaller images, as {best.label} does, at {times} times its rate."
    return (
        f"Store smaller images ({_RESIZED}) or the delivered pixels"
        " (tfrecord_sharded:store=raw or tfdata_saved), or cache decoded ones."
    )


def _of_restart(row: Row, run: RunRecord, diagnosis: Diagnosis) -> Iterator[Advice]:
    """Yield the share of an epoch of the whole folder that a restart costs."""
    turnover, epoch = row.turnover_seconds, row.folder_epoch_seconds
    if turnover is None or not epoch or turnover / epoch < _WORTH or turnover < _LEAST_TURNOVER:
        return
    # One that can only be restarted has no repeat().
    remedy = "Use repeat() with steps_per_epoch, or more images."
    if not row.continuous:
        remedy = "Use more images."
    does = None
    # A service's own restart takes longer: with AUTOTUNE off, it took 1.2 s as before.
    if row.autotune is not None and row.received_bytes_per_image is None:
        remedy = _LATE_END
        fixed = without_autotune(row, run.environment.cores)
        is_measured = fixed in [each.spec for each in diagnosis.fixed]
        does = None if fixed is None or is_measured else change(row, run, fixed)
    yield Advice(
        label=row.label,
        sentence=(
            f"a restart costs {turnover:.2f} s, {turnover / epoch:.0%} of an epoch. {remedy}"
            f"{does.sentence if does else ''}"
        ),
        figure=f"the row of {row.label}: turnover_seconds",
        gain=turnover / epoch,
        spec=does.spec if does else "",
        times=does.times if does else None,
    )


def _of_ceiling(row: Row, run: RunRecord, diagnosis: Diagnosis) -> Iterator[Advice]:
    """Yield how near a pipeline is to the rate of decoding alone."""
    ceiling = binding(row, diagnosis)
    if ceiling is None or row.rate is None or ceiling.name != "decode":
        return
    share = row.rate / ceiling.rate
    trace = diagnosis.traces.get(row.label)
    if not _NEAR <= share <= _BEYOND or trace is None or trace.share("decode") < _LARGE:
        return
    beyond = " (one trial, slower than this rate)" if round(100 * share) > _ALL else ""
    cached = with_knobs(row, cache="memory")
    does = change(row, run, cached) if cached is not None else None
    yield Advice(
        label=row.label,
        sentence=(
            f"it reaches {share:.0%} of the rate of decoding alone on all cores{beyond}. To go"
            " faster, decode less, use more cores, or cache decoded images."
            f"{does.sentence if does else ''}"
        ),
        figure="diagnosis.ceilings",
        gain=0.0,
        spec=does.spec if does else "",
        times=does.times if does else None,
    )


def _of_autotune(run: RunRecord, diagnosis: Diagnosis) -> Iterator[Advice]:
    rows = {row.label: row for row in run.rows}
    for fixed in diagnosis.fixed:
        row = rows[fixed.label]
        chosen = row.autotune.parallelism if row.autotune is not None else None
        if chosen is not None and _is_better(fixed, row, chosen):
            yield Advice(
                label=fixed.label,
                sentence=(
                    f"AUTOTUNE chose {chosen.parallelism} of {chosen.most_parallelism} parallel"
                    f" calls. {fixed.spec} without AUTOTUNE measured {fixed.gain:+.0%}, one trial"
                    " each."
                ),
                figure="diagnosis.fixed",
                gain=fixed.gain,
                spec=fixed.spec,
                times=1 + fixed.gain,
            )
        yield from _of_its_end(fixed, row)


def _of_its_end(fixed: Fixed, row: Row) -> Iterator[Advice]:
    """Yield what AUTOTUNE adds to a restart with any choices: stopping it takes time."""
    with_it, without = fixed.own_turnover_seconds, fixed.turnover_seconds
    if with_it is None or without is None or not row.folder_epoch_seconds:
        return
    saved = with_it - without
    share = saved / row.folder_epoch_seconds
    if share <= _WORTH or saved < _LEAST_TURNOVER:
        return
    yield Advice(
        label=fixed.label,
        sentence=(
            f"without AUTOTUNE a restart took {without:.2f} s instead of {with_it:.2f} s, with"
            f" {fixed.spec}."
        ),
        figure="diagnosis.fixed",
        gain=share,
        spec=fixed.spec,
        times=1 + fixed.gain,
    )


def _is_better(fixed: Fixed, row: Row, chosen: Choice) -> bool:
    """Return whether fixed values differ from AUTOTUNE's, and beat the blocks' rate as well."""
    rate = row.rate_high or row.rate or 0.0
    is_other = (chosen.parallelism or 0) < (chosen.most_parallelism or 0)
    return is_other and fixed.gain >= _GAIN and fixed.rate > rate


def _of_gzip(run: RunRecord, diagnosis: Diagnosis) -> Iterator[Advice]:
    """Yield what GZIP costs, compared with the same records without it."""
    plain = {
        row.label: row
        for row in run.rows
        if row.knobs.get("compression") == "none"
        and row.rate is not None
        and row.label in diagnosis.traces
        and diagnosis.traces[row.label].stages
    }
    for row in run.rows:
        trace = diagnosis.traces.get(row.label)
        if row.knobs.get("compression") != "gzip" or trace is None or row.rate is None:
            continue
        store = row.knobs.get("store")
        alike = [other for other in plain.values() if other.knobs.get("store") == store]
        if not alike:
            continue
        other = alike[0]
        inflating = trace.ms_of("read") - diagnosis.traces[other.label].ms_of("read")
        share = inflating / trace.total_ms if trace.total_ms else 0.0
        if share < _WORTH or row.preparation is None or other.preparation is None:
            continue
        times = (other.rate or 0.0) / (row.rate or 1.0)
        saved = max(1 - row.preparation.bytes / other.preparation.bytes, 0.0)
        yield Advice(
            label=row.label,
            sentence=(
                f"inflating GZIP takes {share:.0%} of its CPU time ({_ms(inflating)} per image) and"
                f" saves {saved:.1%} of the bytes. Leave it out, as {other.label} does, at"
                f" {digits(times)} times its rate."
            ),
            figure=f"diagnosis.traces.{row.label}.stages",
            gain=share,
            spec=other.spec,
            times=times,
        )


def _ms(milliseconds: float) -> str:
    return f"{digits(milliseconds)} ms"
