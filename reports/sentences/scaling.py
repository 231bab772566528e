"""How a rate grows with workers and cores, in words and in the cells of a table. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from feedbench.bench.records.demand.demand import Estimate
from feedbench.bench.records.scaling.scaling import (
    Axis,
    Curve,
    FittedLaw,
    Forecast,
    Needed,
    Point,
    ScalingRecord,
)
from feedbench.bench.text import capital, counted, digits, listed, size
from feedbench.reports.text.figures import MISSING, interval, percent, shown

TITLES = (
    ("", "", True),
    ("images/s", "", False),
    ("interval", "", False),
    ("times the first", "", False),
    ("how", "", True),
    ("client", "CPU s", False),
    ("workers", "CPU s", False),
    ("wire", "an image", False),
)
"""Each column's title and unit, and whether it holds words."""

LAWS = {
    "USL": "the universal scalability law",
    "Amdahl": "Amdahl's law",
}
_SHARING = {
    "none": "measured",
    "client": "measured, client shares",
    "workers": "measured, workers share",
}
_BUSY = 0.05  # a share of the cores that other programs used: worth a sentence in any case
CITATION = (
    "The laws are those of N. J. Gunther, A General Theory of Computational Scalability Based on"
    " Rational Functions, 2008, arXiv:0808.1431. Their intervals come from refitting them without"
    " each block in turn."
)


def answer(record: ScalingRecord) -> str:
    """Return how much the largest count gains, or how many are enough for the model."""
    needs = [words for curve in record.curves if (words := needed(curve, record))]
    if not needs:
        return " ".join(map(gain, record.curves))
    return " ".join(
        [needs[0], *(words.removeprefix(_takes(record)).lstrip() for words in needs[1:])]
    )


def gain(curve: Curve) -> str:
    """Return how many times as fast the largest measured count is as the smallest."""
    measured = [point for point in curve.points if point.rate]
    if len(measured) < 2:  # noqa: PLR2004 - two points
        return f"Too few numbers of {curve.axis} were measured."
    first, last = measured[0], measured[-1]
    assert first.rate is not None
    assert last.rate is not None
    verb = "has" if last.arm.count == 1 else "have"
    return (
        f"{last.arm.label} {verb} {digits(last.rate / first.rate)} times the rate of"
        f" {first.arm.label}: {shown(last.rate)} images/s, measured."
    )


def needed(curve: Curve, record: ScalingRecord) -> str:
    """Return how many workers or cores are enough for the model; "" if none was asked for."""
    needs = curve.needed
    if record.appetite is None:
        return ""
    takes = _takes(record)
    if needs is None:
        return f"{takes} How many {curve.axis} that takes is not known: too few were measured."
    if needs.count is None:
        unsure = "" if needs.has_interval else " (too few blocks for an interval)"
        return (
            f"{takes} No number of {curve.axis} up to {needs.most_tried:,} is enough{unsure},"
            f" extrapolated by {_law(needs)}."
        )
    enough = _of(needs.count, curve.axis)
    verb = "is" if needs.count == 1 else "are"
    if needs.is_measured:
        sure = "" if needs.high == needs.count else _range(needs, curve.axis)
        return f"{takes} {capital(enough)} {verb} enough{sure}, measured."
    return (
        f"{takes} It would take {enough}{_range(needs, curve.axis)}, extrapolated by {_law(needs)}."
    )


def _takes(record: ScalingRecord) -> str:
    """Return what the model takes, as a sentence; "" if it is not known."""
    if record.appetite is None:
        return ""
    return f"{_model(record)} takes {shown(record.appetite.value)} images/s."


def _model(record: ScalingRecord) -> str:
    """Return the model as the subject of a sentence: its name may be a number or a step."""
    if record.model[:1].isdigit():
        return "Your model"
    return f"A model like {record.model}" if "@" in record.model else record.model


def _law(needs: Needed) -> str:
    return LAWS[needs.law or "USL"]


def _range(needs: Needed, axis: Axis) -> str:
    """Return the interval of a number, in parentheses."""
    if not needs.has_interval:
        return f" (too few {'blocks for an interval' if not needs.is_measured else 'blocks'})"
    low = "?" if needs.low is None else f"{needs.low:,}"
    if needs.high is None:
        return f" ({low} or more; at the low end of the interval, no number of {axis} is enough)"
    return "" if needs.low == needs.high == needs.count else f" ({low} to {needs.high:,})"


def _of(count: int, axis: Axis) -> str:
    return counted(count, axis.removesuffix("s"))


def rows(curve: Curve) -> list[tuple[str, ...]]:
    """Return the cells of a curve: what was measured, and what is forecast."""
    first = next((point.rate for point in curve.points if point.rate), None)
    measured = [(point.arm.count, _measured(point, first)) for point in curve.points]
    forecast = [(each.count, _forecast(each, curve.axis, first)) for each in curve.forecasts]
    return [cells for _, cells in sorted([*measured, *forecast], key=lambda pair: pair[0])]


def _measured(point: Point, first: float | None) -> tuple[str, ...]:
    return (
        point.arm.label,
        shown(point.rate),
        interval(point.rate_low, point.rate_high),
        shown(point.rate / first if point.rate and first else None),
        _SHARING[point.arm.sharing] if point.rate is not None else "not measured",
        shown(point.client_cpu_seconds),
        shown(point.workers_cpu_seconds) if point.arm.axis == "workers" else MISSING,
        shown(point.received_bytes, size),
    )


def _forecast(each: Forecast, axis: Axis, first: float | None) -> tuple[str, ...]:
    how = "extrapolated" if each.is_beyond else "computed"
    law = "Amdahl" if each.law == "Amdahl" else "USL"
    return (
        f"({_of(each.count, axis)})",
        f"~{shown(each.rate.value)}",
        _tilde(interval(each.rate.low, each.rate.high)),
        f"~{digits(each.rate.value / first)}" if first else MISSING,
        f"{how}, {law}",
        MISSING,
        MISSING,
        MISSING,
    )


def _tilde(text: str) -> str:
    return text if text == MISSING else f"~{text}"


def notes(record: ScalingRecord) -> list[str]:
    """Return what a reader must know about the figures."""
    measured = f"{counted(record.blocks, 'block')} of {counted(record.images, 'image')}"
    sentences = [
        f"Measured: {measured} on {record.cores:g} cores.",
        "A rate with ~ is computed by a law, and was not measured.",
        "CPU s: CPU time of 1,000 images. Share: workers share cores, or one with the client.",
    ]
    if record.appetite is not None:
        sentences.append(
            "A rate is enough if it is at least the appetite minus the margin of"
            f" {100 * record.margin:g}%."
        )
    for curve in record.curves:
        sentences += [law_sentence(law, curve.axis) for law in curve.laws]
        sentences += curve.unfitted
        sentences += _shared(curve, record.cores)
        sentences += [f"{p.arm.label}: {p.why}." for p in curve.points if p.rate is None]
    sentences += [*_service(record), *_busy(record)]
    if any(curve.laws for curve in record.curves):
        sentences.append(CITATION)
    return sentences


def law_sentence(law: FittedLaw, axis: Axis) -> str:
    """Return the parameters of a law, and how well it fits."""
    parts = [f"contention {_percent(law.contention)}"]
    if law.name == "USL":
        parts.append(f"crosstalk {_percent(law.crosstalk)}")
    parts.append(f"{_estimate(law.one)} images/s of one")
    if law.largest_error is None:
        fit = "It passes through every point, so nothing checks it."
    else:
        fit = f"No measured rate is more than {percent(law.largest_error)}% away from it."
    counts = listed([str(count) for count in law.counts])
    return f"{capital(LAWS[law.name])} for {axis}, fitted to {counts}: {listed(parts)}. {fit}"


def _percent(each: Estimate) -> str:
    """Return a share in percent, with its interval."""
    text = f"{_two(100 * each.value)}%"
    if each.low is None or each.high is None:
        return text
    return f"{text} ({_two(100 * each.low)}-{_two(100 * each.high)})"


def _two(value: float) -> str:
    return "0" if value < 0.005 else digits(value, 2)  # noqa: PLR2004 - rounds to 0.00


def _estimate(each: Estimate) -> str:
    ends = interval(each.low, each.high, "")
    return f"{shown(each.value)} ({ends})" if ends else shown(each.value)


def _shared(curve: Curve, cores: float) -> Iterator[str]:
    """Yield which counts share cores, and what that means."""
    shared = [p.arm.label for p in curve.points if p.arm.sharing == "workers" and p.rate]
    if shared:
        yield (
            f"{capital(listed(shared))} shared {cores:g} cores, so no law is fitted to them: they"
            " show this machine, and no larger one."
        )
    client = [p.arm.label for p in curve.points if p.arm.sharing == "client" and p.rate]
    if client:
        yield (
            f"With {listed(client)}, the client had no core of its own. A client on another machine"
            " may have a higher rate."
        )


def _service(record: ScalingRecord) -> Iterator[str]:
    """Yield what serialising takes, and what the client takes at most."""
    points = [p for curve in record.curves for p in curve.points if p.arm.axis == "workers"]
    sent = [p.received_bytes for p in points if p.received_bytes]
    if sent:
        share = sent[0] / record.image_bytes
        yield (
            f"An image is {size(record.image_bytes)} in memory and {size(sent[0])} on the wire"
            f" ({percent(share)}%), as the client's sockets count them."
        )
    yield from _serialising(record)
    if record.client_rate is None:
        if points:
            yield "The most that the client can take was not measured. Raise --time."
    else:
        yield (
            f"The client took {shown(record.client_rate)} images/s from"
            f" {counted(record.client_workers, 'worker')} that repeat one batch, in one trial."
            " These workers share the cores with it, so a client alone may take more."
        )


def _serialising(record: ScalingRecord) -> Iterator[str]:
    """Yield the CPU time that the service takes, compared with the pipeline in one process."""
    by_axis = {curve.axis: [*map(_cpu, curve.points)] for curve in record.curves}
    with_service = [value for value in by_axis.get("workers", []) if value is not None]
    without = [value for value in by_axis.get("cores", []) if value is not None]
    if not with_service:
        return
    if not without:
        yield (
            "The CPU time of sending and receiving is within the client's and the workers'. With"
            " --cores, the same pipeline is measured without the service, and the difference shows"
            " it."
        )
        return
    first, alone = with_service[0], without[0]
    yield (
        f"1,000 images take {shown(first)} CPU s with the service, and {shown(alone)} in one"
        f" process. The difference, {shown(max(first - alone, 0.0))} CPU s, is what the service"
        " takes: compressing, sending, receiving and decompressing."
    )


def _cpu(point: Point) -> float | None:
    """Return all CPU seconds of 1,000 images; None: not known."""
    if point.client_cpu_seconds is None or point.workers_cpu_seconds is None:
        return None
    return point.client_cpu_seconds + point.workers_cpu_seconds


def _busy(record: ScalingRecord) -> Iterator[str]:
    """Yield how busy other programs were."""
    shares = [p.others_share for c in record.curves for p in c.points if p.others_share is not None]
    if not shares:
        return
    most = max(shares)
    warning = " The figures are those of a busy machine." if most > _BUSY else ""
    yield f"Other programs used up to {percent(most)}% of the cores during the trials.{warning}"


def titles(of: Sequence[tuple[str, ...]]) -> list[int]:
    """Return the places of the columns in which a row has a figure."""
    return [
        place
        for place, _ in enumerate(TITLES)
        if not of or any(row[place] != MISSING for row in of)
    ]
