"""Knobs: a pipeline's dataclass fields, as the command line, errors and reports show them."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec.inspect import BoolType, Field, IntType, LiteralType, Metadata, UnionType, type_info

from feedbench.pipelines.errors import RequestError, did_you_mean


@dataclasses.dataclass(frozen=True)
class Knob:
    """One knob as a user sees it."""

    name: str
    accepts: str  # such as "none, memory or file"
    default: str  # as text, as in a SPEC
    meaning: str  # one clause; "" where the field has no description


def knobs_of(pipeline: type[Any]) -> tuple[Knob, ...]:
    """Return the knobs of a pipeline's class, in the order of its fields; () for other classes."""
    return tuple(_knob(field) for field in _fields(pipeline))


def build(pipeline: type[Any], name: str, given: dict[str, str]) -> Any:
    """Return an instance of the class `pipeline`, with knobs `given` as name -> text.

    Raises RequestError for a knob that the class does not have, a value that the knob does not
    accept, and a required knob that is missing. Errors call the pipeline `name`.
    """
    knobs = {knob.name: knob for knob in knobs_of(pipeline)}
    for knob, text in given.items():
        if knob not in knobs:
            sentence = f"{name} has no knob {knob!r}"
            if hint := did_you_mean(knob, knobs):
                raise RequestError(sentence, hint=hint)
            raise RequestError(f"{sentence}; its knobs are: {', '.join(knobs) or 'none'}")
        try:
            msgspec.convert({knob: text}, pipeline, strict=False)
        except msgspec.ValidationError:
            accepts = knobs[knob].accepts
            raise RequestError(f"{name}: {knob} expects {accepts}; found {text!r}") from None
    if not knobs:  # another package may offer any class
        return pipeline()
    try:
        return msgspec.convert(given, pipeline, strict=False)
    except msgspec.ValidationError as error:  # another package's knob without a default
        raise RequestError(f"{name} cannot be built: {error}") from None


def spec_text(name: str, given: Mapping[str, str]) -> str:
    """Return the SPEC of the pipeline `name` with these knobs, given as text."""
    argument = ",".join(f"{knob}={value}" for knob, value in given.items())
    return f"{name}:{argument}" if argument else name


def values(pipeline: object) -> dict[str, Any]:
    """Return knob -> value of one pipeline; {} if it is not a dataclass."""
    if not dataclasses.is_dataclass(pipeline) or isinstance(pipeline, type):
        return {}
    return {field.name: getattr(pipeline, field.name) for field in dataclasses.fields(pipeline)}


def as_text(value: object) -> str:
    """Return a knob's value as written in a SPEC, such as `true` for True."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fields(pipeline: type[Any]) -> tuple[Field, ...]:
    info = type_info(pipeline)
    return getattr(info, "fields", ())


def _knob(field: Field) -> Knob:
    kind, meaning = field.type, ""
    if isinstance(kind, Metadata):
        meaning = (kind.extra_json_schema or {}).get("description", "")
    return Knob(field.name, _accepts(kind), as_text(field.default), meaning)


def _accepts(kind: object) -> str:
    words = _words(kind)
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


def _words(kind: object) -> list[str]:
    match kind:
        case Metadata(extra_json_schema={"title": str(title)}):  # of a text with a form
            words = [title]
        case Metadata(type=inner):
            words = _words(inner)
        case UnionType(types=kinds):
            words = [word for inner in kinds for word in _words(inner)]
        case LiteralType(values=literals):
            words = [str(literal) for literal in literals]
        case BoolType():
            words = ["true", "false"]
        case IntType(ge=least, le=most) if least is not None and most is not None:
            words = [f"a whole number from {least} to {most}"]
        case _:  # another package's knob
            words = [f"a value of type {type(kind).__name__.removesuffix('Type').lower()}"]
    return words
