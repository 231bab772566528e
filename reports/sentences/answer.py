"""The answer of a run in sentences. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from feedbench.bench.records.row import UNSURE, Withheld
from feedbench.bench.records.run import Stopped
from feedbench.bench.text import capital, counted, digits, duration, listed
from feedbench.bench.verdicts.intervals import LEAST_BLOCKS
from feedbench.reports.sentences import equal_work
from feedbench.reports.text.figures import is_known, level, shown

if TYPE_CHECKING:
    from feedbench.bench.records.proof import Proof
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord

_RGB = 3  # channels
_CLOSE = 0.8  # of the highest rate: what has less is only called the fastest with a doubt
_BUSY = "other programs were busy in the turns of one pipeline, and not in the others'"
_OTHER_IMAGES = "the pipelines do not deliver the same images"
# Why no pipeline has a verdict; the first that applies.
_IMPOSSIBLE = "a pipeline seems faster than any can be"
_WHY_NONE: dict[Withheld, str] = {
    "other programs": _BUSY,
    "baseline's other programs": _BUSY,
    "rate": _IMPOSSIBLE,
    "baseline's rate": _IMPOSSIBLE,
    "slow turns": "the verdicts depend on which slow turns are left out",
    "augmentation": "some pipelines augment their images, and others do not",
    "work": _OTHER_IMAGES,
    "baseline's work": _OTHER_IMAGES,
}


def heading(run: RunRecord) -> str:
    """Return what was measured, in one line."""
    given = run.workload
    part = f"all {given.images:,}"
    if given.is_part:
        part = f"{given.images:,} of {given.folder_images:,}"
    blocks = counted(run.blocks, "block")
    classes = counted(len(given.classes), "class", "classes")
    form = "" if given.channels == _RGB else " grey"
    form += "" if given.dtype == "float32" else f" {given.dtype}"
    form += "" if given.data_format == "channels_last" else ", channels first"
    form += "" if given.fit == "stretch" else f", {given.fit}"
    other = "" if given.split is None else f" ({given.split.other})"
    return (
        f"{part} images{given.purpose} in {classes}{other}, to {given.height}x{given.width}{form},"
        f" batches of {given.batch_size}; {blocks} in {duration(run.seconds)}"
    )


def answer(run: RunRecord) -> str:
    """Return the answer in one sentence."""
    if run.changed is not None:
        return f"No verdicts: {run.changed.clause}, after equal work was proven."
    measured = [row for row in run.rows if row.rate is not None]
    if not measured:
        return "Nothing was measured."
    if run.blocks < LEAST_BLOCKS:
        return _rates_only(run)
    if not run.best:
        return _no_verdicts(run, measured)
    return _fastest(run, measured)


def _fastest(run: RunRecord, measured: list[Row]) -> str:
    """Return which pipelines are the fastest, of those that could be judged."""
    rows = {row.label: row for row in run.rows}
    best = [rows[label] for label in run.best]
    unequal = equal_work.unequal(run)
    unjudged = [row for row in measured if row.label not in unequal and is_unjudged(row, run)]
    # Different work has its own note; these might be the fastest.
    of = "Of those that could be judged, " if unjudged else ""
    judged = [row for row in measured if row.label not in unequal and row not in unjudged]
    if doubtful := _doubtful(best):
        sure_ones = [row.label for row in best if row.label not in doubtful]
        are = "are" if len(sure_ones) > 1 else "is"
        vary = "is: its rates vary" if len(doubtful) == 1 else "are: their rates vary"
        others = listed(doubtful, "or")
        return (
            f"{of}{listed(sure_ones)} {are} the fastest, unless {others} {vary} too much to tell."
        )
    if len(best) == len(judged) > 1:
        none = "no difference" if unjudged else "No difference"
        return f"{of}{none} is shown between {listed([row.label for row in best])}."
    if len(best) > 1:
        labels = listed([row.label for row in best])
        return f"{of}{labels} are the fastest; no difference is shown between them."
    return f"{of}{best[0].label} is the fastest: {_by_how_much(best[0], run)}."


def _doubtful(best: list[Row]) -> list[str]:
    """Return which of the best are so far behind that nobody would call them so.

    Their rates vary so much that no verdict excludes them.
    """
    most = max(row.rate or 0.0 for row in best)
    return [row.label for row in best if (row.rate or 0.0) < _CLOSE * most]


def no_ratios(run: RunRecord) -> str:
    """Return in one sentence why a run has no ratio to its baseline; "" if it has one."""
    why = why_no_ratios(run)
    return f"No ratios: {why}." if why else ""


def why_no_ratios(run: RunRecord) -> str:
    """Return why a run has no ratio to its baseline, as a clause; "" if it has one."""
    if any(is_known(row.ratio) for row in run.rows[1:]):
        return ""
    measured = [row for row in run.rows if is_known(row.rate)]
    if not measured:
        return "nothing was measured"
    if len(run.rows) == 1:
        return "the run has only one pipeline"
    if run.rows[0] not in measured:
        return "the baseline failed" if run.rows[0].failures else "the baseline was not measured"
    if measured == [run.rows[0]]:
        return "only the baseline was measured"
    return "no block has undisturbed trials of both the baseline and another pipeline"


def is_unjudged(row: Row, run: RunRecord) -> bool:
    """Whether a pipeline was measured but could not be compared."""
    if row.withheld in UNSURE:
        return True
    return row.label not in run.best and row.verdict is None and row is not run.rows[0]


def sure(run: RunRecord) -> str:
    """Return how sure the answer is, and what it holds for."""
    if not any(row.rate is not None for row in run.rows):
        return "The reasons that are known are below."
    if run.blocks < LEAST_BLOCKS:
        return sure_in_brief(run)
    blocks = counted(run.blocks, "block")
    sentences = [f"How sure: {blocks}, each pipeline in a fresh process, in random order."]
    if confidence := _confidence(run):
        sentences.append(f"Each interval covers the true ratio with {confidence} confidence.")
    if control := _control(run):
        sentences.append(f"{capital(control)}.")
    sentences += ["The answer holds for this machine, these images and this run.", _near(run)]
    return " ".join(filter(None, sentences))


def sure_in_brief(run: RunRecord) -> str:
    """Return in one sentence how sure the answer is; "" if nothing was measured."""
    if not any(row.rate is not None for row in run.rows):
        return ""
    blocks = counted(run.blocks, "block")
    if run.blocks < LEAST_BLOCKS:
        if any(row.ratio_width is not None for row in run.rows):
            return f"How sure: roughly. ± is 95% confidence from {blocks}; verdicts need more."
        return f"How sure: not at all yet; after {blocks} the differences may be due to chance."
    confidence = _confidence(run)
    first = f"{confidence} confidence from {blocks}" if confidence else blocks
    return f"How sure: {'; '.join(filter(None, [first, _control(run)]))}."


def _confidence(run: RunRecord) -> str:
    """Return the confidence of the intervals, such as 99%; "" if none is shown."""
    has_intervals = any(is_known(row.ratio) and row.withheld != "control" for row in run.rows)
    return level(run.rows) if has_intervals else ""


def _near(run: RunRecord) -> str:
    """Return which of the pipelines that the answer compares deliver different pixels."""
    named = {*run.best, run.rows[0].label}
    proofs = {
        row.label: row.proof for row in run.rows if row.proof is not None and row.label in named
    }
    works = {row.proof.work for row in run.rows if row.proof is not None}
    reduced = [label for label, proof in proofs.items() if _is_reduced(proof)]
    near = [
        label for label, proof in proofs.items() if proof.work == "near" and label not in reduced
    ]
    accepted = [label for label, proof in proofs.items() if proof.work == "accepted"]
    sentences = []
    if near and "same" in works:
        resize = "resizes" if len(near) == 1 else "resize"
        sentences.append(f"{listed(near)} {resize} with another filter, which reads more pixels")
    if reduced:
        decode = "decodes" if len(reduced) == 1 else "decode"
        sentences.append(f"{listed(reduced)} {decode} JPEGs at a reduced scale")
    if accepted:
        delivers = "delivers" if len(accepted) == 1 else "deliver"
        sentences.append(f"{listed(accepted)} {delivers} other pixels, which --pixels accepts")
    return " ".join(f"{sentence}: see Equal work." for sentence in sentences)


def _is_reduced(proof: Proof) -> bool:
    likeness = proof.likeness
    return proof.work == "near" and likeness is not None and likeness.is_reduced


def _control(run: RunRecord) -> str:
    """Return how far equal pipelines differed here, as a clause."""
    if run.control is None:
        return "too few undisturbed blocks to check the baseline against its own copy"
    if not all(map(is_known, run.control)):
        return ""
    ratio, low, high = run.control
    interval = f"{_ratio(low)} to {_ratio(high)}"
    return f"the baseline's own copy ran at {_ratio(ratio)} times its rate ({interval})"


def _by_how_much(row: Row, run: RunRecord) -> str:
    baseline = run.rows[0]
    if row is not baseline and row.ratio is not None and row.withheld is None:
        interval = f"({level([row])} interval {_ratio(row.ratio_low)} to {_ratio(row.ratio_high)})"
        return f"{_ratio(row.ratio)} times the rate of {baseline.label} {interval}"
    unequal = equal_work.unequal(run)
    others = [o.ratio for o in run.rows if o.ratio is not None and o.label not in unequal]
    if not others or baseline.label in unequal or row.withheld == "baseline's rate":
        return _rate(row)
    return f"the next has {_ratio(max(others))} times its rate"


def _rates_only(run: RunRecord) -> str:
    blocks = counted(run.blocks, "block")
    only = f"Rates only: {blocks} completed, and verdicts need {LEAST_BLOCKS}; {_advice(run)}."
    return f"{only}{_so_far(run)}"


def _so_far(run: RunRecord) -> str:
    """Return how many times the baseline's rate the fastest one has, after too few blocks."""
    unequal = equal_work.unequal(run)
    baseline, *others = run.rows
    ratios = {row.label: row.ratio for row in others if is_known(row.ratio)}
    equal = {label: ratio for label, ratio in ratios.items() if label not in unequal}
    if baseline.label in unequal or not equal:
        return ""
    best = max(equal, key=lambda label: equal[label] or 0.0)
    times = f"{digits(equal[best] or 0.0, 2)} times"
    width = next(row.ratio_width for row in others if row.label == best)
    within = "" if width is None else f" (±{width:.0%})"
    return f" So far, {best} has about {times}{within} the rate of {baseline.label}."


def _advice(run: RunRecord) -> str:
    """Return what would give more blocks, or why the run ended."""
    if run.status == "running":
        return "the run was not completed"
    match run.stopped_because:
        case None:
            return "it is not known why it ended"
        case Stopped.BLOCKS | Stopped.SPARE | Stopped.TIME:
            return f"--resume RUN --blocks +{LEAST_BLOCKS - run.blocks} adds the rest"
        case Stopped.INTERRUPTED:
            return "it was interrupted, and --resume RUN resumes it"
        case stopped:
            return stopped.clause(run.blocks)


def _no_verdicts(run: RunRecord, measured: list[Row]) -> str:
    withheld = {row.withheld for row in run.rows}
    if "control" in withheld and run.control is not None:
        return (
            f"No verdicts: {run.rows[0].label} and its own second copy differ (ratio"
            f" {_ratio(run.control[0])}, interval {_ratio(run.control[1])} to"
            f" {_ratio(run.control[2])}), so the machine was not calm enough."
        )
    if len(measured) == 1:
        return f"{measured[0].label} delivers {_rate(measured[0])}."
    if run.calm is not None and 0 < run.calm.attempts == run.calm.disturbed:
        return f"No verdicts: each of {counted(run.calm.attempts, 'trial')} was disturbed."
    if "exclusions" in withheld and run.calm is not None:
        return (
            f"No verdicts: {run.calm.disturbed} of {counted(run.calm.attempts, 'trial')} were"
            " disturbed, and the verdicts depend on which of them are excluded."
        )
    for reason, why in _WHY_NONE.items():
        if reason in withheld:
            return f"No verdicts: {why}."
    why = "too few blocks have both the baseline and another pipeline"
    if run.calm is not None and run.calm.disturbed:
        trials = counted(run.calm.attempts, "trial")
        why += f", because {run.calm.disturbed} of {trials} were disturbed"
    return f"No verdicts: {why}."


def _ratio(value: float | None) -> str:
    return shown(value)


def _rate(row: Row) -> str:
    return f"{shown(row.rate, lambda rate: f'{rate:,.0f}')} images/s"
