"""The report's tables, said once for HTML and markdown: which columns, and a row's cell in each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from feedbench.bench.records.proof import Proof
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import Preparation
from feedbench.bench.text import counted, size
from feedbench.reports.sentences import costs, equal_work, page_cache, preparation, why
from feedbench.reports.text.figures import (
    MISSING,
    gpu,
    interval,
    milliseconds,
    percent,
    seconds,
    shown,
    spread,
)


@dataclass(frozen=True)
class Column:
    """A title, its unit, and a row's cell as text."""

    title: str
    unit: str
    cell: Callable[[Row], str]
    is_words: bool = False
    is_one_word: bool = False  # of words: which no line breaks


@dataclass(frozen=True)
class Table:
    """A titled table over some of a run's rows."""

    name: str
    title: str
    columns: tuple[Column, ...]
    rows: tuple[Row, ...]


def tables(run: RunRecord, spent: Sequence[costs.Cost] = ()) -> tuple[Table, ...]:
    """Return the tables of a run; a preparation's only where a pipeline has one."""
    rows = tuple(run.rows)
    found = (
        Table("speed", "Speed", _speed(rows), rows),
        *_of_work(rows),
        *_of_why(run, rows),
        *_of_costs(rows, spent),
        Table("phases", "Phases and batch latency", _phases(run) + _LATENCY, rows),
        Table("resources", "Resources", _RESOURCES, rows),
    )
    prepared = tuple(row for row in rows if row.preparation is not None)
    if not prepared:
        return found
    return (*found, Table("preparation", "Preparation", _preparation(run), prepared))


def _speed(rows: tuple[Row, ...]) -> tuple[Column, ...]:
    """Return the columns of rates and verdicts; the check's only where there are blocks enough."""
    if any(row.ranks_low is not None for row in rows):
        return _SPEED
    return tuple(column for column in _SPEED if column is not _BY_RANKS)


def _of_work(rows: tuple[Row, ...]) -> tuple[Table, ...]:
    """Return the tables of what was delivered and in which order; none where nothing is known."""
    proven = tuple(row for row in rows if row.proof is not None)
    if not proven:
        return ()
    return (
        Table("work", "What each delivers", _WORK, proven),
        Table("shuffle", "Shuffle", _SHUFFLE, proven),
    )


def _of_why(run: RunRecord, rows: tuple[Row, ...]) -> tuple[Table, ...]:
    """Return the table of where the time goes; none where it was not looked at."""
    found = run.diagnosis
    if found is None:
        return ()
    columns = (
        Column("reaches", "of its ceiling", lambda row: why.of_ceiling(row, found), is_words=True),
        Column(
            "largest stages",
            "of CPU time",
            lambda row: why.stages(found.traces.get(row.label)),
            is_words=True,
        ),
        Column("CPU", "ms an image, traced", lambda row: why.cpu_ms(found.traces.get(row.label))),
        Column("AUTOTUNE chose", "", _autotune, is_words=True),
        Column(
            "waits for input",
            "% of a step",
            lambda row: why.input_bound(found.traces.get(row.label)),
        ),
    )
    return (Table("why", "Stages, ceilings and AUTOTUNE", columns, rows),)


def _autotune(row: Row) -> str:
    is_rewritten = row.knobs.get("parallel_calls") == "none" == row.knobs.get("prefetch")
    return why.chosen(row.autotune, is_rewritten=is_rewritten)


def _of_costs(rows: tuple[Row, ...], spent: Sequence[costs.Cost]) -> tuple[Table, ...]:
    """Return the table of total times; none where none is known."""
    by_label = {cost.label: cost for cost in spent}
    known = tuple(row for row in rows if row.label in by_label)
    if not known:
        return ()

    def after(epochs: int) -> Column:
        def cell(row: Row) -> str:
            return costs.after(epochs, by_label[row.label])

        return Column(counted(epochs, "epoch"), "in all", cell)

    return (Table("cost", "Total time", tuple(map(after, _EPOCHS)), known),)


def verdict(row: Row) -> str:
    """Return the verdict, or that there is none because the pipeline failed."""
    if row.rate is None and row.failures:
        return "failed"
    return row.verdict or MISSING


def _phases(run: RunRecord) -> tuple[Column, ...]:
    def epoch(row: Row) -> str:
        found = row.folder_epoch_seconds if run.workload.is_part else row.epoch_seconds
        return shown(found, seconds)

    title = "epoch, extrapolated" if run.workload.is_part else "epoch"
    return (
        Column("first batch", "s", lambda row: shown(row.first_batch_seconds, seconds)),
        Column("first epoch", "s", lambda row: shown(row.first_epoch_seconds, seconds)),
        Column("turnover", "s", lambda row: shown(row.turnover_seconds, seconds)),
        Column(title, "s", epoch),
    )


def _latency(name: str) -> Column:
    def cell(row: Row) -> str:
        return shown(getattr(row.latency, name, None), milliseconds)

    return Column(f"latency {name}", "ms", cell)


def _proven(cell: Callable[[Proof], str]) -> Callable[[Row], str]:
    return lambda row: MISSING if row.proof is None else cell(row.proof)


def _from(reference: str, figure: str) -> Callable[[Row], str]:
    """Return a figure of the distance from a reference."""

    def cell(proof: Proof) -> str:
        return equal_work.distance(getattr(getattr(proof, reference), figure, None))

    return _proven(cell)


def _of_shuffle(figure: str, form: Callable[[float | None], str]) -> Callable[[Row], str]:
    return _proven(lambda proof: form(getattr(proof.shuffle, figure)))


def _prepared(cell: Callable[[Preparation], str]) -> Callable[[Row], str]:
    return lambda row: MISSING if row.preparation is None else cell(row.preparation)


def _preparation(run: RunRecord) -> tuple[Column, ...]:
    equal_work = run.workload
    part = f"for {counted(equal_work.images, 'image')}" if equal_work.is_part else ""
    epochs = f"epochs of all {equal_work.folder_images:,}" if equal_work.is_part else ""
    return (
        Column("took", f"s {part}".rstrip(), _prepared(lambda it: shown(it.seconds, seconds))),
        Column("written", part, _prepared(lambda it: size(it.bytes))),
        Column("files", "", _prepared(lambda it: f"{it.files:,}")),
        Column("size", "", preparation.beside_the_photos, is_words=True),
        Column("made", "", _prepared(preparation.made), is_words=True),
        Column("has paid for itself after", epochs, _prepared(preparation.pays_off), is_words=True),
    )


def _whole(value: float) -> str:
    return f"{value:,.0f}"


_EPOCHS = (1, 3, 10, 30, 100, 1000)
_BY_RANKS = Column(
    "by ranks", "the same, a check", lambda row: interval(row.ranks_low, row.ranks_high)
)
_SPEED = (
    Column("rate", "images/s", lambda row: shown(row.rate)),
    Column("±", "%", lambda row: shown(spread(row), percent)),
    Column("ratio", "to the baseline", lambda row: shown(row.ratio)),
    Column("interval", "of the ratio", lambda row: interval(row.ratio_low, row.ratio_high)),
    _BY_RANKS,
    Column("verdict", "", verdict, is_words=True, is_one_word=True),
    Column("work", "", equal_work.word, is_words=True, is_one_word=True),
    Column("shuffle", "images", lambda row: equal_work.shuffled(row.proof)),
)
_WORK = (
    Column("work", "", equal_work.word, is_words=True, is_one_word=True),
    Column("images", "", _proven(equal_work.images), is_words=True),
    Column("compared", "images", _proven(lambda proof: f"{proof.compared:,}")),
    Column("from TensorFlow's sampling", "grey levels", _from("from_sampled", "mean")),
    Column("99% under", "from TensorFlow's", _from("from_sampled", "p99")),
    Column("worst image", "from TensorFlow's", _from("from_sampled", "worst")),
    Column("from Pillow's filter", "grey levels", _from("from_filtered", "mean")),
    Column("99% under", "from Pillow's", _from("from_filtered", "p99")),
    Column("worst image", "from Pillow's", _from("from_filtered", "worst")),
)
_SHUFFLE = (
    Column(
        "shuffle", "", _proven(lambda proof: proof.shuffle.kind), is_words=True, is_one_word=True
    ),
    Column("ahead", "images", _of_shuffle("ahead", lambda count: shown(count, _whole))),
    Column("order", "and the list", _of_shuffle("with_list", equal_work.correlation)),
    Column("order", "of neighbours", _of_shuffle("with_neighbour", equal_work.correlation)),
    Column("order", "and the next epoch's", _of_shuffle("with_next_epoch", equal_work.correlation)),
    Column("classes", "in a batch", _of_shuffle("batch_classes", shown)),
    Column("classes", "by chance", _of_shuffle("batch_classes_by_chance", shown)),
)
_LATENCY = tuple(map(_latency, ("p50", "p95", "p99", "longest")))
_RESOURCES = (
    Column("CPU", "s per 1,000 images", lambda row: shown(row.cpu_seconds_per_1000_images)),
    Column("CPU in use", "% of the cores", lambda row: shown(row.cpu_utilisation, percent)),
    Column("peak memory", "", lambda row: shown(row.peak_memory_bytes, size)),
    Column("device reads", "per image", lambda row: shown(row.read_bytes_per_image, size)),
    Column("page cache", "before the first epoch", page_cache.state, is_words=True),
    Column("GPU", "", gpu, is_words=True),
)
