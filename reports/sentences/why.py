"""Why pipelines are as fast as they are, in words. Pure."""

from __future__ import annotations

import html
import re
import textwrap
from collections.abc import Iterator

from feedbench.bench.records.diagnosis import (
    KNOWN_STAGES,
    PYTHON,
    REST,
    Advice,
    Autotune,
    Diagnosis,
    Step,
    StoreProbe,
    Trace,
    Waterfall,
)
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.text import capital, counted, digits, listed, size
from feedbench.bench.verdicts.ceilings import binding
from feedbench.pipelines.catalog import spec_of
from feedbench.pipelines.forms import DTYPE_BYTES
from feedbench.reports.sentences.autotune import without_it
from feedbench.reports.sentences.more_blocks import RUN, undecided, without_verdict
from feedbench.reports.text.figures import MISSING, is_known, percent, shown
from feedbench.reports.text.titles import Title

_STAGES_SHOWN = 3
_MOST_IN_BRIEF = 5  # lines of advice
_TINY = 0.02  # a share that whole percents say too little of
_DIFFERENT = 0.15  # of a pipeline's time
_ALL = 100  # percent
_NAMED = 0.05  # of it, from which a stage of the user's own names the rest
_MOST_QUOTED = 300  # characters of what a tool says
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_COLOURS = 3  # bytes of a decoded pixel
_OF_CACHE = {"cache", "cache_at"}
_READING = {"list", "read", "parse"}  # the stages of a trace that are the step `read`

Steps = tuple[list[Title], list[tuple[str, ...]]]
"""Titles, and a step's cells."""


def in_brief(run: RunRecord, folder: str = RUN) -> list[str]:
    """Return at most five lines of what to do next; `folder` is the run's, in a shell's words.

    How many more blocks would decide comes first, then the first line of advice of each pipeline,
    the most costly first. Pipelines that need the same remedy share a line.
    """
    first: dict[str, Advice] = {}
    for line in _advice(run):
        first.setdefault(line.label, line)
    by_remedy: dict[str, list[Advice]] = {}
    for line in first.values():
        by_remedy.setdefault(line.remedy or line.label, []).append(line)
    more = undecided(run, folder), without_verdict(run, folder)
    return [*filter(None, more), *map(_as_one, by_remedy.values())][:_MOST_IN_BRIEF]


def _as_one(lines: list[Advice]) -> str:
    """Return the first line of some with the same remedy, and which other pipelines need it."""
    costliest, *others = lines
    also = f" The same holds for {listed([line.label for line in others])}." if others else ""
    return f"{costliest.label}: {costliest.sentence}{also}"


def by_pipeline(run: RunRecord) -> list[tuple[str, list[str]]]:
    """Return each pipeline's advice, in the order of the rows; none of those without any.

    And what it did with AUTOTUNE off, where that was measured.
    """
    fixed = _without_autotune(run)
    pipelines = []
    for row in run.rows:
        lines = [line.sentence for line in _advice(run) if line.label == row.label]
        lines += [clause for label, clause in fixed if label == row.label]
        pipelines.append((row.label, [*_of_cache(row, run), *map(capital, lines)]))
    return [(label, lines) for label, lines in pipelines if lines]


def limits(run: RunRecord) -> list[str]:
    """Return how far to trust the figures behind the advice."""
    diagnosis = run.diagnosis
    if diagnosis is None:
        return []
    differences = [
        disagreement(waterfall, diagnosis.traces.get(waterfall.label))
        for waterfall in diagnosis.waterfalls
    ]
    return [*failed_traces(run), *filter(None, differences), *diagnosis.skipped]


def failed_traces(run: RunRecord) -> list[str]:
    """Return which traces cannot be used, and why."""
    traces = run.diagnosis.traces if run.diagnosis else {}
    return [
        f"{label}: its trace cannot be used: {trace.why_not.rstrip('.')}."
        for label, trace in traces.items()
        if trace.why_not is not None
    ]


def _advice(run: RunRecord) -> list[Advice]:
    return run.diagnosis.advice if run.diagnosis else []


def _without_autotune(run: RunRecord) -> list[tuple[str, str]]:
    measured = run.diagnosis.fixed if run.diagnosis else []
    clauses = [(fixed.label, without_it(fixed)) for fixed in measured]
    return [(label, clause) for label, clause in clauses if clause is not None]


def conclusions(run: RunRecord) -> list[tuple[str, str]]:
    """Return what xprof concludes of each pipeline, in its own words, as plain text."""
    traces = run.diagnosis.traces if run.diagnosis else {}
    conclusions = []
    for row in run.rows:
        trace = traces.get(row.label)
        words = _plain(trace.conclusion or "") if trace is not None else ""
        if words:
            conclusions.append((row.label, words))
    return conclusions


def _plain(text: str) -> str:
    """Return a tool's text without markup, shortened if it is very long."""
    words = html.unescape(_TAG.sub(" ", text)).split()
    return textwrap.shorten(" ".join(words), _MOST_QUOTED, placeholder=" \N{HORIZONTAL ELLIPSIS}")


def _of_cache(row: Row, run: RunRecord) -> Iterator[str]:
    """Yield what a cache holds, and the same pipeline's rate without it, if that was measured."""
    if row.knobs.get("cache") not in ("memory", "file"):  # whatever a run's record holds
        return
    sentence = f"After its first epoch it {_kept(row, run)}"
    others = {knob: value for knob, value in row.knobs.items() if knob not in _OF_CACHE}
    for other in run.rows:
        theirs = {knob: value for knob, value in other.knobs.items() if knob not in _OF_CACHE}
        is_plain = other.knobs.get("cache") == "none" and _name(other) == _name(row)
        if is_plain and theirs == others and other.rate is not None and is_known(other.rate):
            sentence += (
                f". Without the cache ({other.label}) it reaches {digits(other.rate)} images/s"
            )
            break
    yield f"{sentence}."


def _kept(row: Row, run: RunRecord) -> str:
    """Return what a cache keeps and saves, by the place where it is."""
    work, cache_at = run.workload, row.knobs.get("cache_at", "delivered")
    where = "memory" if row.knobs.get("cache") == "memory" else "a file"
    images = f"all {work.folder_images:,} images"
    if cache_at == "encoded":
        return (
            f"reads no file: it caches the files' bytes of {images} in {where}. It decodes and"
            " resizes them in every epoch"
        )
    if cache_at == "decoded":
        pixels = run.diagnosis.source_pixels if run.diagnosis is not None else None
        held = ""
        if pixels is not None:
            held_values = work.folder_images * pixels * _COLOURS
            as_float32 = size(held_values * DTYPE_BYTES["float32"])
            held = f" ({size(held_values)}; float32 would take {as_float32})"
        return (
            f"decodes nothing: it caches {images} in full size as uint8{held} in {where}. It"
            " resizes them in every epoch"
        )
    values = work.folder_images * work.height * work.width * work.channels
    held = size(values * DTYPE_BYTES[work.dtype])
    if cache_at == "batched":
        return (
            f"decodes nothing: it caches {images} as batches ({held}) in {where}. Every epoch has"
            " the batches of the first one"
        )
    return f"decodes nothing: it caches {images} as delivered ({held}) in {where}"


def _name(row: Row) -> str:
    return spec_of(row.label, row.spec).name


def disagreement(waterfall: Waterfall, trace: Trace | None) -> str | None:
    """Return a sentence if the trace and the steps cut off give different shares of a step."""
    if waterfall.like or trace is None:
        return None
    shares_by_trace = _shares_by_trace(waterfall, trace)
    for name, by_steps in _shares_by_steps(waterfall).items():
        by_trace = shares_by_trace.get(name)  # None: the trace does not know the step
        if by_trace is not None and abs(by_trace - by_steps) > _DIFFERENT:
            return (
                f"{waterfall.label}: {name} takes {by_trace:.0%} of its CPU time by the trace, and"
                f" {by_steps:.0%} by leaving the step out. Treat both as rough."
            )
    return None


def _shares_by_steps(waterfall: Waterfall) -> dict[str, float]:
    added = waterfall.added_ms()
    total = sum(added.values())
    return {name: ms / total for name, ms in added.items()} if total > 0 else {}


def _shares_by_trace(waterfall: Waterfall, trace: Trace | None) -> dict[str, float]:
    """Return each step's share by the trace; empty if the trace does not know the steps."""
    if trace is None or not trace.stages or trace.share(PYTHON) > _DIFFERENT:
        return {}
    return {step.name: _share_of_step(trace, step.name) for step in waterfall.steps}


def _share_of_step(trace: Trace, step: str) -> float:
    if step == "read":
        return sum(trace.share(name) for name in _READING)
    if step in {"decode", "resize"}:
        return trace.share(step)
    return 1 - sum(trace.share(name) for name in (*_READING, "decode", "resize"))


def stages(trace: Trace | None) -> str:
    """Return the largest stages with their shares, such as: decode 61%, resize 20%."""
    if trace is None or not trace.stages:
        return MISSING
    largest = sorted(trace.stages, key=lambda stage: -stage.ms)[:_STAGES_SHOWN]
    return ", ".join(f"{stage.name} {trace.share(stage.name):.0%}" for stage in largest)


def cpu_ms(trace: Trace | None) -> str:
    """Return the CPU milliseconds an image while it was traced."""
    return shown(None if trace is None else trace.cpu_ms, digits)


def input_bound(trace: Trace | None) -> str:
    """Return the share of a step that waits for input, by xprof."""
    return shown(None if trace is None else trace.input_bound, percent)


def chosen(autotune: Autotune | None, *, is_rewritten: bool = False) -> str:
    """Return what AUTOTUNE chose, such as: 1 of 2 calls, 8 batches ahead.

    `is_rewritten`: the code asks for none of it, and TensorFlow's graph rewrites have put it in.
    """
    if autotune is None:
        return MISSING
    parts = []
    parallel = autotune.parallelism
    if parallel is not None:
        most = parallel.most_parallelism
        of = "" if most is None else f" of {most}"
        parts.append(f"{parallel.parallelism}{of} calls")
    buffers = [choice.buffer for choice in autotune.choices if choice.buffer is not None]
    if buffers:
        parts.append(f"{' and '.join(map(str, buffers))} ahead")
    if not parts:
        return MISSING
    if is_rewritten:
        parts.append("by graph rewrites")
    return ", ".join(parts)


def of_ceiling(row: Row, diagnosis: Diagnosis | None) -> str:
    """Return the rate as a share of the ceiling that limits it, such as: 87% of decode."""
    ceiling = binding(row, diagnosis) if diagnosis is not None else None
    if ceiling is None or row.rate is None or ceiling.rate <= 0:
        return MISSING
    share = row.rate / ceiling.rate
    percents = percent(share) if share < _TINY else format(100 * share, ".0f")
    words = f"{percents}% of {ceiling.name}"
    if round(100 * share) <= _ALL:
        return words
    return f"{words}: the ceiling is one trial's rate, lower than this one"


def ceilings(diagnosis: Diagnosis) -> str | None:
    """Return one sentence on what this machine can do; None if it was not measured."""
    if not diagnosis.ceilings:
        return None
    words = {
        "read": "reads {} images/s",
        "decode": "reads and decodes {}",
        "scaled decode": "reads and decodes {} at a reduced scale",
        "ready": "delivers {} from a batch in memory",
        "client": "takes {} from workers of tf.data service that repeat one batch",
    }
    parts = [words[ceiling.name].format(f"{ceiling.rate:,.0f}") for ceiling in diagnosis.ceilings]
    text = f"This machine {listed(parts)} (one separate trial each)."
    return text if diagnosis.store is None else f"{text} {_store(diagnosis.store)}"


def _store(probe: StoreProbe) -> str:
    each = " each" if probe.processes > 1 else ""
    return (
        f"It reads from a store, which answers after {probe.latency_ms:,.0f} ms (the median of"
        f" {probe.requests} requests, one after another; one in ten takes {probe.slow_ms:,.0f} ms"
        f" or more). The store sends {size(round(probe.bytes_per_second))} each second to"
        f" {counted(probe.processes, 'process')} with {probe.at_once} requests at once{each}. More"
        " requests at once do not raise this rate. No pipeline that reads the store with the"
        " same client can be faster."
    )


def steps(waterfall: Waterfall, trace: Trace | None) -> Steps:
    """Return the columns and cells of a pipeline's steps, and the trace's share of each.

    A dash where a step adds less than trials differ by, or the trace does not know it.
    """
    titles = [
        Title("step", is_words=True),
        Title("rate so far", "images/s"),
        Title("CPU added", "ms per image"),
    ]
    added = {name: ms for name, ms in waterfall.added_ms().items() if ms > 0}
    cells: list[tuple[str, ...]] = [
        (_step_name(step, waterfall, trace), f"{step.rate:,.0f}", shown(added.get(step.name)))
        for step in waterfall.steps
    ]
    by_trace = _shares_by_trace(waterfall, trace)
    if not by_trace:
        return titles, cells
    by_steps = _shares_by_steps(waterfall)
    titles += [Title("share", "% of all steps"), Title("by its trace", "% of all stages")]
    for place, step in enumerate(waterfall.steps):
        shares = by_steps.get(step.name), by_trace[step.name]
        cells[place] += tuple(map(_whole_percent, shares))
    return titles, cells


def _step_name(step: Step, waterfall: Waterfall, trace: Trace | None) -> str:
    """Return a step's name; of the rest, where another stood in for all before it, what it is."""
    if step.name != REST or not waterfall.like or trace is None:
        return step.name
    unknown = [stage for stage in trace.stages if stage.name not in KNOWN_STAGES]
    largest = max(unknown, key=lambda stage: stage.ms, default=None)
    if largest is None or trace.share(largest.name) < _NAMED:
        return step.name
    return f"{step.name} ({largest.name})"


def _whole_percent(share: float | None) -> str:
    return f"{100 * share:.0f}" if share is not None and is_known(share) and share > 0 else MISSING
