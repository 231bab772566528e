"""Whether pipelines train alike, and what happened to each training, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from feedbench.bench.records.trainings.training import Agreement, Likeness, Training, TrainingRecord
from feedbench.bench.text import counted, duration, listed
from feedbench.reports.sentences import facts as of_runs

_POINTS = 100


def likeness(record: TrainingRecord) -> str:
    """Return in one or two sentences whether the pipelines train alike."""
    return " ".join(filter(None, (answer(record), chance(record))))


def answer(record: TrainingRecord) -> str:
    """Return whether the pipelines train alike."""
    result = record.likeness
    if result is None:
        trained = [each.label for each in record.trainings if each.status == "trained"]
        if len(set(trained)) < 2:  # noqa: PLR2004 - a comparison has two
            return "A comparison of trainings takes two trained pipelines."
        return "The model reports no accuracy: compile it with metrics=['accuracy'] to compare."
    if result.is_alike:
        return f"The pipelines train alike: {_range(result)}."
    others = [each for each in result.pipelines if not each.is_alike]
    return " ".join(map(_differs, others))


def chance(record: TrainingRecord) -> str:
    """Return how far chance alone may make accuracies differ; "" if none are compared."""
    return "" if record.likeness is None else _chance(record.likeness)


def heading(record: TrainingRecord) -> str:
    """Return what was trained on what, and whether it was completed."""
    model, images = record.model, counted(record.workload.images, "image")
    validated = f", {record.validation_images:,} for validation" if record.validation_images else ""
    is_loaded = model.is_saved or model.weights
    begun = (
        "the weights in a file" if is_loaded else f"the initial weights of seed {_seeds(record)}"
    )
    compiled = f" It was compiled with {model.compiled_with}." if model.compiled_with else ""
    unfinished = "" if record.status == "complete" else " This training was not completed."
    return (
        f"The model {model.name} with {counted(model.parameters, 'parameter')}, trained through"
        f" {counted(len(record.labels), 'pipeline')} for {counted(record.epochs, 'epoch')} from"
        f" {begun}, on {images}{validated}.{compiled}{unfinished}"
    )


def facts(record: TrainingRecord) -> list[tuple[str, str]]:
    """Return the workload, the machine and the software, each with its term."""
    work = record.workload
    classes = {
        name: f"{count:,} and {record.validation_classes.get(name, 0):,}"
        if record.validation_images
        else f"{count:,}"
        for name, count in work.classes.items()
    }
    network = f", as preprocess_input of {work.preprocess}" if work.preprocess else ""
    batches = f"in batches of {work.batch_size}; labels {work.label_mode}"
    parts = "Classes, training and validation" if record.validation_images else "Classes"
    return [
        ("Started", of_runs.moment(record.started_at)),
        ("Took", duration(record.seconds)),
        ("Photos", work.folder),
        *(("Note", note) for note in work.notes),
        (parts, ", ".join(f"{name} ({count})" for name, count in classes.items())),
        *([("Weights", record.model.note)] if record.model.note else []),
        *([("Parts", work.split.sentence)] if work.split is not None else []),
        ("Delivered", f"{of_runs.form(work)}{network}, {batches}"),
        *of_runs.machine(record.environment),
    ]


def _seeds(record: TrainingRecord) -> str:
    first = record.workload.seed
    return f"{first}" if record.repeats == 1 else f"{first} to {first + record.repeats - 1}"


def _range(result: Likeness) -> str:
    """Return the range of the accuracies as a clause."""
    accuracies = [
        result.pipelines[0].baseline_accuracy,
        *(each.accuracy for each in result.pipelines),
    ]
    low, high = min(accuracies), max(accuracies)
    part = f"{result.part} accuracy is"
    if f"{low:.1%}" == f"{high:.1%}":
        return f"final {part} {_percent(low)} for each"
    return f"final {part} {_percent(low)} to {_percent(high)}, within chance"


def _differs(each: Agreement) -> str:
    word = "worse" if each.difference < 0 else "better"
    return (
        f"{each.label} trains {word} than {each.baseline}: {_percent(each.accuracy)} instead of"
        f" {_percent(each.baseline_accuracy)}."
    )


def _chance(result: Likeness) -> str:
    """Return by how much chance alone may make accuracies differ, and how that is known."""
    widest = max((each.high - each.low) / 2 for each in result.pipelines)
    points = f"{_POINTS * widest:.1f} points"
    if result.method == "seeds":
        return (
            f"Over {result.seeds} seeds, chance alone makes differences of about {points}"
            f" ({result.level:.0%} intervals)."
        )
    return (
        f"With one seed and {result.images:,} {result.part} images, chance alone may make"
        f" differences of about {points} (binomial error); --repeats measures it."
    )


def remarks(record: TrainingRecord) -> Iterator[str]:
    """Yield a sentence for each thing that a user should know of a training."""
    if record.changed:
        yield f"Nothing was trained after a change: {record.changed}."
    yield from record.notes
    for training in record.trainings:
        name = training.label
        if record.repeats > 1:
            name += f" (seed {training.seed})"
        yield from (f"{name}: {remark}." for remark in _of(training))
    weights = {each.initial_weights for each in record.trainings if each.initial_weights}
    if len(weights) > len({each.seed for each in record.trainings if each.initial_weights}):
        labels = list(dict.fromkeys(each.label for each in record.trainings))
        yield f"The initial weights differ between {listed(labels)}: accuracies cannot be compared."


def _of(training: Training) -> Iterator[str]:
    if training.status in {"failed", "stopped"}:
        yield "; ".join(filter(None, [f"{training.status}, {training.why}", training.hint]))
    elif training.nan_epoch is not None:
        yield f"its loss was not a number in epoch {training.nan_epoch}; training continued"
    yield from training.notes


def _percent(share: float) -> str:
    return f"{share:.1%}"
