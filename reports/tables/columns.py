"""All columns of the tables of pipelines; add a new one here, and nowhere else. Pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

from feedbench.bench.records.proof import Proof
from feedbench.bench.records.row import Row
from feedbench.bench.records.run import RunRecord
from feedbench.bench.records.trial import Preparation
from feedbench.bench.text import counted, size
from feedbench.reports.sentences import costs, equal_work, preparation, why
from feedbench.reports.sentences.augmentation import augmentation_cost
from feedbench.reports.sentences.conditions import page_cache
from feedbench.reports.text import figures
from feedbench.reports.text.figures import MISSING, milliseconds, percent, seconds, shown

_Of = TypeVar("_Of", Row, Proof)


@dataclass(frozen=True)
class Column(Generic[_Of]):
    """A column's titles, and its cell for a row or a proof: text, MISSING if it is not known."""

    title: str  # on the page; "": the page has no such column
    unit: str  # below the title
    cell: Callable[[_Of], str]
    short: str = ""  # the title in short tables, broken at its line ends; "": they have none such
    is_words: bool = False
    is_one_word: bool = False  # of words: which no line breaks


def _rate_or_why_not(row: Row) -> str:
    return figures.no_rate(row) if row.rate is None else shown(row.rate)


def _verdict_or_failed(row: Row) -> str:
    if row.rate is None and row.failures:
        return "failed"
    return row.verdict or MISSING


BY_RANKS = Column[Row](
    "by ranks", "a check", lambda row: figures.interval(row.ranks_low, row.ranks_high)
)
OF_AUGMENTATION: tuple[Column[Row], ...] = (
    Column(
        "not augmented",
        "images/s",
        lambda row: MISSING if row.unaugmented is None else shown(row.unaugmented.rate),
    ),
    Column(
        "augmentation costs",
        "% of that rate",
        augmentation_cost.cell,
        short="augmen-\ntation costs %",
    ),
)
SPEED: tuple[Column[Row], ...] = (
    Column("rate", "images/s", lambda row: shown(row.rate)),
    Column("", "", _rate_or_why_not, short="images/s"),
    Column("±", "%", lambda row: shown(figures.spread(row), percent), short="± %"),
    Column("ratio", "to the baseline", lambda row: shown(row.ratio), short="ratio"),
    Column(
        "interval",
        "of the ratio",
        lambda row: figures.interval(row.ratio_low, row.ratio_high),
        short="interval",
    ),
    BY_RANKS,
    *OF_AUGMENTATION,
    Column("verdict", "", _verdict_or_failed, is_words=True, is_one_word=True),
    Column("", "", lambda row: row.verdict or MISSING, short="verdict", is_words=True),
    Column("work", "", equal_work.word, short="work", is_words=True, is_one_word=True),
    Column("shuffle", "images", lambda row: equal_work.shuffled(row.proof), short="shuffle"),
)


def phases(run: RunRecord) -> tuple[Column[Row], ...]:
    """Return the columns of phases; if a part was measured, the epoch is extrapolated."""

    def epoch(row: Row) -> str:
        return shown(
            row.folder_epoch_seconds if run.workload.is_part else row.epoch_seconds, seconds
        )

    title = "epoch, extrapolated" if run.workload.is_part else "epoch"
    return (
        Column(
            "first batch",
            "s",
            lambda row: shown(row.first_batch_seconds, seconds),
            short="first\nbatch s",
        ),
        Column(
            "first epoch",
            "s",
            lambda row: shown(row.first_epoch_seconds, seconds),
            short="first\nepoch s",
        ),
        Column(
            "turnover", "s", lambda row: shown(row.turnover_seconds, seconds), short="turn-\nover s"
        ),
        Column(title, "s", epoch, short="epoch s"),
        *map(_latency, ("p50", "p95", "p99", "longest")),
    )


def _latency(name: str) -> Column[Row]:
    def cell(row: Row) -> str:
        return shown(getattr(row.latency, name, None), milliseconds)

    return Column(f"latency {name}", "ms", cell)


RESOURCES: tuple[Column[Row], ...] = (
    Column(
        "CPU",
        "s per 1,000 images",
        lambda row: shown(row.cpu_seconds_per_1000_images),
        short="CPU s per\n1,000 images",
    ),
    Column(
        "CPU in use",
        "% of the cores",
        lambda row: shown(row.cpu_utilisation, percent),
        short="CPU %",
    ),
    Column("peak memory", "", lambda row: shown(row.peak_memory_bytes, size), short="peak\nmemory"),
    Column("device reads", "per image", lambda row: shown(row.read_bytes_per_image, size)),
    Column("page cache", "before the first epoch", page_cache.state, is_words=True),
    Column("GPU", "", figures.gpu, is_words=True),
)


def prepared(run: RunRecord) -> tuple[Column[Row], ...]:
    """Return the columns of what pipelines wrote in advance, and when that pays off."""
    work = run.workload
    part = f"for {counted(work.images, 'image')}" if work.is_part else ""
    epochs = f"epochs of all {work.folder_images:,}" if work.is_part else ""
    return (
        Column("rate", "images/s", lambda row: shown(row.rate)),
        Column(
            "took",
            f"s {part}".rstrip(),
            _prepared(lambda record: shown(record.seconds, seconds)),
            short="prepar-\nation s",
        ),
        Column("written", part, _prepared(lambda record: size(record.bytes)), short="\nwritten"),
        Column("files", "", _prepared(lambda record: f"{record.files:,}")),
        Column("size", "", preparation.beside_the_photos, is_words=True),
        Column("made", "", _prepared(preparation.made), is_words=True),
        Column("pays for itself after", epochs, _prepared(preparation.pays_off), is_words=True),
        Column("", "", _prepared(preparation.pays_off_briefly), short="pays off\nafter epochs"),
        Column("pixels", "grey levels from the nearer reference", equal_work.nearest),
    )


def _prepared(cell: Callable[[Preparation], str]) -> Callable[[Row], str]:
    return lambda row: MISSING if row.preparation is None else cell(row.preparation)


def reasons(run: RunRecord) -> tuple[Column[Row], ...]:
    """Return the columns of where the time goes, if it was measured."""
    diagnosis = run.diagnosis
    if diagnosis is None:
        return ()
    traces = diagnosis.traces
    return (
        Column(
            "reaches", "of its ceiling", lambda row: why.of_ceiling(row, diagnosis), is_words=True
        ),
        Column(
            "largest stages",
            "of CPU time",
            lambda row: why.stages(traces.get(row.label)),
            is_words=True,
        ),
        Column("CPU", "ms per image, traced", lambda row: why.cpu_ms(traces.get(row.label))),
        Column("AUTOTUNE chose", "", _autotune, is_words=True),
        Column(
            "waits for input", "% of a step", lambda row: why.input_bound(traces.get(row.label))
        ),
    )


def _autotune(row: Row) -> str:
    is_rewritten = row.knobs.get("parallel_calls") == "none" == row.knobs.get("prefetch")
    return why.chosen(row.autotune, is_rewritten=is_rewritten)


def total_time(epochs: int, cost_of: dict[str, costs.Cost]) -> Column[Row]:
    """Return the column of the total time of so many epochs."""

    def cell(row: Row) -> str:
        cost = cost_of.get(row.label)
        return MISSING if cost is None else costs.after(epochs, cost)

    return Column(counted(epochs, "epoch"), "in all", cell)


def _distances(reference: str, owner: str, short: str) -> tuple[Column[Proof], ...]:
    """Return the columns of how far the images are from a reference."""

    def cell(figure: str) -> Callable[[Proof], str]:
        return lambda proof: equal_work.distance(getattr(getattr(proof, reference), figure, None))

    title = {"from_sampled": "sampling", "from_filtered": "filter"}[reference]
    return (
        Column(f"from {owner} {title}", "grey levels", cell("mean"), short=short),
        Column("99% under", f"from {owner}", cell("p99"), short="\n99%"),
        Column("worst image", f"from {owner}", cell("worst"), short="worst\nimage"),
    )


WORK = Column[Proof](
    "work", "", lambda proof: proof.work, short="work", is_words=True, is_one_word=True
)
IMAGES = Column[Proof]("images", "", equal_work.images, short="images", is_words=True)
COMPARED = Column[Proof](
    "compared", "images", lambda proof: f"{proof.compared:,}", short="images\ncompared"
)
FROM_SAMPLED = _distances("from_sampled", "TensorFlow's", short="from Tensor-\nFlow's rule")
FROM_FILTERED = _distances("from_filtered", "Pillow's", short="from Pil-\nlow's filter")


def _order(beside: str, figure: str, short: str) -> Column[Proof]:
    def cell(proof: Proof) -> str:
        return equal_work.correlation(getattr(proof.shuffle, figure))

    return Column("order", beside, cell, short=short)


SHUFFLE: tuple[Column[Proof], ...] = (
    Column("shuffle", "", lambda proof: proof.shuffle.kind, is_words=True, is_one_word=True),
    Column("", "", equal_work.shuffled, short="shuffle"),
    Column("ahead", "images", lambda proof: shown(proof.shuffle.ahead, "{:,.0f}".format)),
    _order("with the list", "with_list", short="order:\nlist"),
    _order("of neighbours", "with_neighbour", short="neigh-\nbours"),
    _order("with the next epoch's", "with_next_epoch", short="next\nepoch"),
    Column(
        "classes",
        "in a batch",
        lambda proof: shown(proof.shuffle.batch_classes),
        short="classes\nin a batch",
    ),
    Column(
        "classes",
        "by chance",
        lambda proof: shown(proof.shuffle.batch_classes_by_chance),
        short="by\nchance",
    ),
)
