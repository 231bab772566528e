"""Candidates: SPECs over the knobs that matter, made from the pipelines of a request. Pure.

A knob that the user gave stays as it is. A cache of whole batches is no candidate: it repeats the
batches of the first epoch. A SPEC that changes nothing is left out.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import zip_longest

from feedbench.pipelines import catalog, knobs
from feedbench.pipelines.catalog import Spec

Settings = Mapping[str, str]
"""knob -> value, as in a SPEC"""

# What an image costs, the most promising first: of each pipeline only those that it has.
_WORK: tuple[Settings, ...] = (
    {"store": "raw"},
    {"cache": "none", "decode": "scaled"},
    {"decode": "scaled"},
    {"store": "resized"},
    {"store": "raw", "cache": "memory", "cache_at": "encoded"},
    {"cache": "none"},
    {"cache": "file"},
    {"store": "resized", "cache": "memory", "cache_at": "encoded"},
    {"cache_at": "decoded"},
)
_WITH_CACHE = {"cache_at"}  # they change nothing without a cache


def candidates_of(specs: Sequence[Spec]) -> tuple[Spec, ...]:
    """Return the pipelines themselves, then their variants, the most promising first.

    The pipelines' own settings, AUTOTUNE among them, are candidates. A user's own function has no
    other. Labels are unique.
    """
    variants = [tuple(variants_of(spec, _WORK)) for spec in specs]
    in_turns = (each for turn in zip_longest(*variants) for each in turn if each is not None)
    return different([*specs, *in_turns])


def refined(spec: Spec, cores: int, delivered: int) -> tuple[Spec, ...]:
    """Return variants of one pipeline in how much it does at once, without AUTOTUNE's choice.

    Of one that stores smaller images, also in how these are stored. `delivered` is the longest side
    that an image has when it is fitted, in pixels: none is stored smaller.
    """
    settings: list[Settings] = [
        {"parallel_calls": str(cores), "prefetch": "2"},
        {"parallel_calls": str(2 * cores), "prefetch": "4"},
        {"workers": str(2 * cores)},
        {"prefetch": "8"},
        {"threads": str(cores), "prefetch": str(2 * cores)},
    ]
    if _value(spec, "store") == "resized":
        least = {"stored_size": str(delivered)}
        settings = [least, {**least, "quality": "85"}, {"stored_format": "bmp"}, *settings]
    return different([spec, *variants_of(spec, settings)])[1:]


def variants_of(spec: Spec, settings: Iterable[Settings]) -> Iterator[Spec]:
    """Yield the pipeline with each of the settings that it has and that the user left open."""
    if spec.is_foreign:
        return
    names = {knob.name for knob in knobs.knobs_of(catalog.class_of(spec))}
    given = catalog.knobs_given(spec)
    for setting in settings:
        if not setting.keys() <= names - given.keys():
            continue
        if setting.get("cache", _value(spec, "cache")) == "none" and _WITH_CACHE & setting.keys():
            continue
        changed = {knob: value for knob, value in setting.items() if value != _value(spec, knob)}
        yield with_settings(spec.name, {**given, **changed})


def with_settings(name: str, settings: Settings) -> Spec:
    """Return the SPEC of a pipeline with these knobs; it is its own label."""
    text = knobs.spec_text(name, settings)
    return catalog.spec_of(text, text)


def different(specs: Iterable[Spec]) -> tuple[Spec, ...]:
    """Return the SPECs without those that build the same pipeline as one before, or have its label.

    SPECs of a user's own code are compared by their text.
    """
    kept: list[Spec] = []
    built: list[object] = []
    for spec in specs:
        pipeline: object = spec.text if spec.is_foreign else catalog.load(spec)
        if pipeline not in built and spec.label not in {each.label for each in kept}:
            kept.append(spec)
            built.append(pipeline)
    return tuple(kept)


def as_typed(spec: Spec) -> str:
    """Return a SPEC with its label, if it has one of its own."""
    return spec.text if spec.label == spec.text else f"{spec.label}={spec.text}"


def _value(spec: Spec, knob: str) -> str:
    return knobs.as_text(knobs.values(catalog.load(spec)).get(knob, ""))
