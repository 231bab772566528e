"""Trainings as one HTML page that loads nothing from the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from markupsafe import Markup
from msgspec.structs import replace

from feedbench.bench.records.trainings.training import TrainingRecord
from feedbench.reports.charts import training as charts
from feedbench.reports.charts.tracks import NARROW, WIDE
from feedbench.reports.code import saved_model
from feedbench.reports.html.templating import rendered
from feedbench.reports.sentences import facts
from feedbench.reports.sentences.trainings import training
from feedbench.reports.tables import trainings as tables
from feedbench.reports.text import palette


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What the page of trainings shows; an empty collection or "" for a missing part."""

    title: str
    started: str
    answer: str
    sure: str
    heading: str
    is_validated: bool
    colours: Mapping[str, str]  # by label
    curves: Sequence[tuple[str, str, Mapping[str, Markup]]]  # id, title, panels by label
    rates: Sequence[Markup]  # wide and narrow
    titles: Sequence[tuple[str, str, bool]]
    rows: Sequence[tuple[str, tuple[str, ...]]]  # label, cells
    epoch_titles: Sequence[tuple[str, str, bool]]
    epochs: Sequence[tuple[str, str, list[tuple[str, ...]]]]  # label, name, a row an epoch
    notes: Sequence[str]
    facts: Sequence[tuple[str, str]]
    models: Sequence[tuple[str, str]]  # label, file
    code: str  # that loads the first of them
    form: str  # of the images that it takes
    has_events: bool
    command: str

    @property
    def contents(self) -> list[tuple[str, str]]:
        """The sections that a reader looks for, by their ids, and what they are called."""
        sections = [
            *((name, title, True) for name, title, _ in self.curves),
            ("speed", "Speed", True),
            ("epochs", "Every epoch", bool(self.epochs)),
            ("notes", "Notes", bool(self.notes)),
            ("model", "The models", bool(self.models)),
            ("tensorboard", "TensorBoard", self.has_events),
            ("environment", "Machine", True),
            ("repeat", "Repeat it", bool(self.command)),
        ]
        return [(name, title) for name, title, is_there in sections if is_there]


def render(record: TrainingRecord) -> str:
    """Return the page of a record."""
    return rendered("training.html.j2", training_data(record))


def training_data(record: TrainingRecord) -> TrainingData:
    """Return what the page shows."""
    models = [(each.label, each.model) for each in record.trainings if each.model]
    return TrainingData(
        title=f"Feedbench: training {record.model.name} on {Path(record.workload.folder).name}",
        started=facts.moment(record.started_at),
        answer=training.answer(record),
        sure=training.chance(record),
        heading=training.heading(record),
        is_validated=record.validation_images > 0,
        colours=palette.colours(record.labels),
        curves=_curves(record),
        # Escaped in svg.py.
        rates=[Markup(each) for width in (WIDE, NARROW) if (each := charts.rates(record, width))],  # noqa: S704
        titles=tables.titles(record),
        rows=tables.rows(record),
        epoch_titles=tables.epoch_titles(record),
        epochs=tables.epochs(record),
        notes=list(training.remarks(record)),
        facts=training.facts(record),
        models=models,
        code=saved_model.code(record.workload, models[0][1]) if models else "",
        form=facts.form(replace(record.workload, augmentation="")),
        has_events=any(each.tensorboard and each.epochs for each in record.trainings),
        command=facts.command_of(record.command),
    )


def _curves(record: TrainingRecord) -> list[tuple[str, str, Mapping[str, Markup]]]:
    drawn = (
        ("accuracy", "Accuracy", charts.accuracies(record)),
        ("loss", "Loss", charts.losses(record)),
    )
    return [
        (name, title, {label: Markup(panel) for label, panel in panels.items()})  # noqa: S704
        for name, title, panels in drawn
        if panels
    ]
