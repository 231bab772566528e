"""Why pipelines are as fast as they are, in words. Pure."""

from __future__ import annotations

from collections.abc import Iterator

from feedbench.bench.advice import binding
from feedbench.bench.diagnosis import Autotune, Diagnosis, Trace, Waterfall
from feedbench.bench.results import Row, RunRecord
from feedbench.bench.say import capital, counted, digits, listed, size
from feedbench.bench.stages import PYTHON
from feedbench.reports.figures import MISSING, is_known, percent, shown

_STAGES_SHOWN = 3
_TINY = 0.02  # a share that whole percents say too little of
_DIFFERENT = 0.15  # of a pipeline's time
_READING = {"list", "read", "parse"}  # the stages of a trace that are the step `read`


def sentences(run: RunRecord) -> list[str]:
    """Return what is to be said: advice first, then what to know of the figures."""
    found = run.diagnosis
    if found is None:
        return []
    told = [f"{line.label}: {line.sentence}" for line in found.advice]
    return [*told, *_limits(found)]


def by_pipeline(run: RunRecord) -> list[tuple[str, list[str]]]:
    """Return each pipeline's advice, in the order of the rows; none of those without any."""
    advice = run.diagnosis.advice if run.diagnosis else []
    found = []
    for row in run.rows:
        lines = [line.sentence for line in advice if line.label == row.label]
        found.append((row.label, [*_of_cache(row, run), *map(capital, lines)]))
    return [(label, lines) for label, lines in found if lines]


def _of_cache(row: Row, run: RunRecord) -> Iterator[str]:
    """Yield what a cache holds, and what the same pipeline does without it, where that was run."""
    kept = row.knobs.get("cache")
    work = run.workload
    if kept not in ("memory", "file"):  # whatever a run's record holds
        return
    itemsize = 1 if work.dtype == "uint8" else 4
    held = work.folder_images * work.height * work.width * work.channels * itemsize
    sentence = (
        f"After its first epoch it decodes nothing: it keeps all {work.folder_images:,} images as"
        f" delivered, {size(held)}, in {'memory' if kept == 'memory' else 'a file'}"
    )
    others = {knob: value for knob, value in row.knobs.items() if knob != "cache"}
    for other in run.rows:
        theirs = {knob: value for knob, value in other.knobs.items() if knob != "cache"}
        is_plain = other.knobs.get("cache") == "none" and _name(other) == _name(row)
        if is_plain and theirs == others and other.rate is not None and is_known(other.rate):
            sentence += f"; without that ({other.label}) it has {digits(other.rate)} images/s"
            break
    yield f"{sentence}."


def _name(row: Row) -> str:
    return row.spec.partition(":")[0]


def limits(run: RunRecord) -> list[str]:
    """Return what is to be known of the figures that advice rests on."""
    return [] if run.diagnosis is None else [*_limits(run.diagnosis)]


def briefly(run: RunRecord) -> list[str]:
    """Return the first line of advice of each pipeline, and what to know of the figures."""
    found = run.diagnosis
    if found is None:
        return []
    first: dict[str, str] = {}
    for line in found.advice:
        first.setdefault(line.label, f"{line.label}: {line.sentence}")
    more = len(found.advice) - len(first)
    rest = f"{counted(more, 'more line')} of advice, and where the time goes, are in the report."
    return [*first.values(), *([rest] if more else []), *_limits(found)]


def _limits(found: Diagnosis) -> Iterator[str]:
    for label, trace in found.traces.items():
        if trace.why_not is not None:
            yield f"{label}: its trace tells nothing: {trace.why_not.rstrip('.')}."
    for waterfall in found.waterfalls:
        difference = disagreement(waterfall, found.traces.get(waterfall.label))
        if difference is not None:
            yield difference
    yield from found.skipped


def disagreement(waterfall: Waterfall, trace: Trace | None) -> str | None:
    """Return a sentence where the trace and the steps cut off say something else of a step."""
    added = waterfall.added_ms()
    total = sum(added.values())
    if not added or total <= 0 or trace is None or not trace.stages or waterfall.like:
        return None
    if trace.share(PYTHON) > _DIFFERENT:
        return None  # whose steps a trace does not tell apart
    for name, ms in added.items():
        by_trace, by_steps = _share_of_step(trace, name), ms / total
        if abs(by_trace - by_steps) > _DIFFERENT:
            return (
                f"{waterfall.label}: by its trace {name} takes {by_trace:.0%} of its CPU time, and"
                f" {by_steps:.0%} by what is saved where it is left out: trust neither to the"
                " last digit."
            )
    return None


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
    buffers = [one.buffer for one in autotune.choices if one.buffer is not None]
    if buffers:
        parts.append(f"{' and '.join(map(str, buffers))} ahead")
    said = ", ".join(parts)
    return f"{said}, by graph rewrites" if said and is_rewritten else said or MISSING


def of_ceiling(row: Row, found: Diagnosis | None) -> str:
    """Return the rate as a share of the ceiling that binds it, such as: 87% of decode."""
    bound = binding(row, found) if found is not None else None
    if bound is None or row.rate is None or bound[1] <= 0:
        return MISSING
    share = row.rate / bound[1]
    return f"{percent(share) if share < _TINY else format(100 * share, '.0f')}% of {bound[0]}"


def ceilings(found: Diagnosis) -> str | None:
    """Return one sentence on what this machine can do; None where it was not measured."""
    if not found.ceilings:
        return None
    words = {
        "read": "reads {} images/s",
        "decode": "reads and decodes {}",
        "ready": "takes {} out of a batch that is ready",
    }
    parts = [words[one.name].format(f"{one.rate:,.0f}") for one in found.ceilings]
    return f"In a trial of its own each, this machine {listed(parts)}."


def step_cells(waterfall: Waterfall) -> list[tuple[str, str, str]]:
    """Return each step, the images/s up to it, and the CPU milliseconds an image that it adds.

    A dash where it adds less than trials differ by.
    """
    added = {name: ms for name, ms in waterfall.added_ms().items() if ms > 0}
    return [
        (step.name, f"{step.rate:,.0f}", shown(added.get(step.name), digits))
        for step in waterfall.steps
    ]
