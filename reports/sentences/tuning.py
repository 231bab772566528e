"""What a tuning found, in words. Pure."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from feedbench.bench.records.tuning.tuning import NO_TIME, Gain, Result, Total, TuningRecord
from feedbench.bench.text import counted, digits, duration, listed
from feedbench.reports.text.figures import MISSING, shown

TITLES = ("pipeline", "images/s", "s in all", "times the best", "why it was dropped")
TOTAL_TITLES = ("", "preparation, s", "first epoch, s", "other epochs, s", "s in all")
_MOST_EQUALS = 3
_MOST_SHOWN = 4


def answer(record: TuningRecord) -> str:
    """Return the winner and its gain, or why there is none."""
    if record.winner is None:
        return "No allowed candidate was measured."
    so_far = ", so far" if record.status == "interrupted" else ""
    if record.winner == record.default:
        return f"{record.default} stays the choice{so_far}: {_of_default(record)}."
    gain = record.after or record.before
    if gain is None:
        best = f"{record.winner} is the best of the candidates{so_far}."
        return " ".join(filter(None, (best, _without_default(record))))
    what = _what(record)
    if gain.low is not None and gain.low > 1:
        return f"{record.winner} is {_times(gain)} {what} as {record.default}{so_far}."
    return (
        f"{record.winner} is the best of the candidates{so_far}, but it is not shown to be faster"
        f" than {record.default}: {_times(gain)} {what}."
    )


def _without_default(record: TuningRecord) -> str:
    """Return that the default has no rate, and why; "" if it has one."""
    results = [each for rung in record.rungs for each in rung.results]
    of_default = [result for result in results if result.label == record.default]
    if any(result.rate is not None for result in of_default):
        return ""
    why = next((result.why_out for result in of_default), NO_TIME)
    remedy = " Raise --time, or lower --limit." if why == NO_TIME else ""
    return f"The default, {record.default}, was not measured: {why}.{remedy}"


def _of_default(record: TuningRecord) -> str:
    if record.after is not None:
        return f"in fresh blocks, {record.challenger} is not shown to be faster"
    return "no candidate was faster"


def gains(record: TuningRecord) -> Iterator[str]:
    """Yield the gain in the rungs and in fresh blocks, and why they differ."""
    if record.before is None:
        return
    rungs = f"Gain of {record.challenger} in the last rung: {_times(record.before)}"
    if record.after is None:
        yield f"{rungs}. It was not measured anew, so it may be partly luck."
        return
    yield f"{rungs}; in fresh blocks: {_times(record.after)}. The second one counts."
    if _has_more(record):
        yield (
            "They differ because of noise, selection and the number of images. With more images,"
            " less is extrapolated."
        )
        return
    yield (
        "They differ because of noise and selection. A candidate is chosen where it was fast, so"
        " the first gain tends to be too large."
    )


def _has_more(record: TuningRecord) -> bool:
    """Return whether the last run measured more images than the rungs."""
    return record.final_images > record.images


def on_page(record: TuningRecord, of_rates: str) -> list[str]:
    """Return what the page of the last run says of the tuning, below its answer.

    `of_rates` is the answer of that run. It may differ, since rates are those of later epochs.
    """
    sentences = [totals_sentence(record), *gains(record)]
    if record.allowance.epochs is not None:
        sentences.append(
            "The ratios below are of the rates alone, without preparation, first epoch and"
            f" restarts. {of_rates}"
        )
    return [sentence for sentence in sentences if sentence]


def remarks(record: TuningRecord) -> Iterator[str]:
    """Yield what a reader must know about the choice."""
    if record.changed:
        yield f"Nothing was measured after a change: {record.changed}."
    if record.winner is not None and record.equals:
        others = [label for label in record.equals if label != record.winner]
        if others:
            yield (
                f"Not shown to be slower when the time was up: {_some(others, _MOST_EQUALS)}. A"
                " longer --time may tell."
            )
    if record.images < record.folder_images:
        anew = f", and {record.final_images:,} in fresh blocks" if _has_more(record) else ""
        yield (
            f"{record.images:,} of {record.folder_images:,} images were measured{anew}; the times"
            " are for all images."
        )
    by_why: dict[str, list[str]] = {}
    for each in record.excluded:
        by_why.setdefault(each.why, []).append(each.spec)
    for why, specs in by_why.items():
        yield f"Not measured ({why}): {_some(specs, _MOST_SHOWN)}."


def _some(labels: list[str], most: int) -> str:
    """Return the first of these labels, and how many others there are."""
    more = len(labels) - most
    return listed([*labels[:most], counted(more, "other")] if more > 0 else labels)


def command(record: TuningRecord) -> str:
    """Return the command that measures the winner against the default again."""
    words = ["feedbench", "run", record.folder]
    for label, spec in ((record.default, ""), (record.winner, record.winner_spec)):
        if label is not None and label not in words:
            words += ["-p", _typed(label, spec or _spec(record, label))]
    if record.allowance.pixels is not None:
        words += ["--pixels", f"{record.allowance.pixels:g}"]
    return shlex.join(words)


def rows(results: list[Result]) -> list[tuple[str, ...]]:
    """Return the cells of a rung."""
    return [
        (
            each.label,
            shown(each.rate),
            MISSING if each.total is None else digits(each.total.seconds),
            "the best" if each.against_best is None and each.rate else _share(each.against_best),
            each.why_out,
        )
        for each in results
    ]


def totals(record: TuningRecord) -> list[tuple[str, ...]]:
    """Return the cells of the planned epochs of the winner and the default; [] without epochs."""
    pairs = {record.winner: record.winner_total, record.default: record.default_total}
    return [
        (label, *(digits(value) for value in _parts(total)))
        for label, total in pairs.items()
        if label is not None and total is not None
    ]


def totals_sentence(record: TuningRecord) -> str:
    """Return how long the planned epochs take with the winner, and with the default."""
    epochs, ours, theirs = record.allowance.epochs, record.winner_total, record.default_total
    if epochs is None or ours is None or theirs is None or record.winner is None:
        return ""
    take = "takes" if epochs == 1 else "take"
    sentence = f"{counted(epochs, 'epoch')} {take} {_long(ours)} with {record.winner}"
    if record.winner != record.default:
        sentence += f", and {_long(theirs)} with {record.default}"
    return f"{sentence}: preparation, first epoch and all others."


def _parts(total: Total) -> tuple[float, ...]:
    return total.prepare, total.first_epoch, total.other_epochs, total.seconds


def _long(total: Total) -> str:
    seconds = total.seconds
    return duration(seconds) if seconds >= 60 else f"{digits(seconds)} s"  # noqa: PLR2004


def _typed(label: str, spec: str) -> str:
    return spec if label == spec else f"{label}={spec}"


def _spec(record: TuningRecord, label: str) -> str:
    for rung in record.rungs:
        for result in rung.results:
            if result.label == label:
                return result.spec
    return label


def _what(record: TuningRecord) -> str:
    epochs = record.allowance.epochs
    return "as fast" if epochs is None else f"as fast over {counted(epochs, 'epoch')}"


def _times(gain: Gain) -> str:
    if gain.low is None or gain.high is None:
        return f"{digits(gain.times)} times ({counted(gain.blocks, 'block')}, no interval)"
    return f"{digits(gain.times)} times ({digits(gain.low)} to {digits(gain.high)})"


def _share(gain: Gain | None) -> str:
    if gain is None:
        return MISSING
    if gain.low is None or gain.high is None:
        return digits(gain.times, 2)
    return f"{digits(gain.times, 2)} ({digits(gain.low, 2)}-{digits(gain.high, 2)})"
