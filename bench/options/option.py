"""Options: fields of a class that have a help text and a reader of their values.

A front door makes its options from `options_of` a class, and passes what was typed to `values`:

    @dataclass(frozen=True, kw_only=True)
    class Sought:
        seed: int = option("0", read=whole_number, metavar="N", help="Seed for every choice.")

    values(Sought, {"seed": "7"})  # {"seed": 7}
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, TypeVar, cast

from feedbench.bench.options.values import OneOf

T = TypeVar("T")
Typed = str | bool | Sequence[str] | None
"""What was typed for an option: a text, a flag, several texts; None: nothing."""

Given = Mapping[str, Typed]
"""What was typed for each option, by its name."""

_KEY = "option"  # in the metadata of a field


@dataclasses.dataclass(frozen=True, kw_only=True)
class Option:
    """One option as users see it, and how its value is read."""

    field: str = ""  # of the class that it belongs to
    name: str = ""  # without dashes: image-size
    letter: str = ""  # of its short form
    metavar: str = ""
    help: str
    default: Typed  # as typed; a bool: it is a flag; a sequence: it may be repeated
    otherwise: str = ""  # in words: the value if nothing is typed and `default` is None
    read: Callable[[str, Any], object]  # of the name that the user sees, and what was typed
    absent: Callable[[Given], object]  # the value if it is not typed, from all that is
    words: Callable[[], Iterable[str]] = tuple  # those that a shell completes

    @property
    def key(self) -> str:
        """The name as a parameter of a function."""
        return self.name.replace("-", "_")

    @property
    def shown_default(self) -> str:
        """The default in words; "" if there is none to show."""
        return self.default if isinstance(self.default, str) else self.otherwise

    def value(self, given: Given, prefix: str = "--") -> object:
        """Return the value of what was typed.

        `prefix` is put before the option's name in an error.
        Raises RequestError if `read` refuses the text.
        """
        typed = given.get(self.name)
        if typed is None or typed == []:
            typed = self.default
        return self.absent(given) if typed is None else self.read(prefix + self.name, typed)


def option(
    default: str | None,
    *,
    read: Callable[[str, str], T],
    metavar: str,
    help: str,  # noqa: A002 - as typer and argparse call it
    otherwise: str = "",
    absent: Callable[[Given], T] | None = None,
    name: str = "",
    words: Callable[[], Iterable[str]] | None = None,
) -> T:
    """Return a field whose value is read from text. Without a text it is `absent`, or None.

    A shell completes `words`; without them, those that `read` chooses from.
    """
    made = Option(
        name=name,
        metavar=metavar,
        help=help,
        default=default,
        otherwise=otherwise,
        read=read,
        absent=absent or (lambda _: None),
        words=words or (lambda: read.choices if isinstance(read, OneOf) else ()),
    )
    return cast("T", _field(made))


def flag(*, default: bool, help: str) -> bool:  # noqa: A002 - as typer and argparse call it
    """Return a field that is a flag: it switches on what is off by default, or off what is on."""
    made = Option(help=help, default=default, read=lambda _, typed: typed, absent=lambda _: default)
    return cast("bool", _field(made))


def repeated(
    default: tuple[str, ...],
    *,
    metavar: str,
    help: str,  # noqa: A002 - as typer and argparse call it
    name: str,
    letter: str,
    words: Callable[[], Iterable[str]],
) -> tuple[str, ...]:
    """Return a field of all texts of its option, in order. A shell completes `words`."""
    made = Option(
        name=name,
        letter=letter,
        metavar=metavar,
        help=help,
        default=default,
        otherwise=", ".join(default),
        read=lambda _, typed: tuple(typed),
        absent=lambda _: default,
        words=words,
    )
    return cast("tuple[str, ...]", _field(made))


def options_of(kind: type[Any], *fields: str) -> tuple[Option, ...]:
    """Return the options of a class in the order of its fields; or those of some `fields`."""
    return tuple(
        dataclasses.replace(
            field.metadata[_KEY],
            field=field.name,
            name=field.metadata[_KEY].name or field.name.replace("_", "-"),
        )
        for field in dataclasses.fields(kind)
        if _KEY in field.metadata and (not fields or field.name in fields)
    )


def values(kind: type[Any], given: Given, prefix: str = "--") -> dict[str, Any]:
    """Return the value of each field of a class that is an option, by the field's name.

    `prefix` is put before an option's name in an error.
    Raises RequestError for a text that cannot be read.
    """
    return {each.field: each.value(given, prefix) for each in options_of(kind)}


def typed_words(kind: type[Any], given: Given, *fields: str) -> list[str]:
    """Return what was typed for some fields of a class as the words of a command.

    A default is left out.
    """
    typed = list[str]()
    for each in options_of(kind, *fields):
        value = given.get(each.name)
        if value == each.default:
            continue
        if value is True:
            typed += [f"--{each.name}"]
        elif isinstance(value, str):
            typed += [f"--{each.name}", value]
        elif value:
            typed += [word for text in value for word in (f"--{each.name}", text)]
    return typed


def value_of(kind: type[Any], field: str, given: Given) -> Any:
    """Return the value of one field that is an option. Raises RequestError as `values` does."""
    (only,) = options_of(kind, field)
    return only.value(given)


def _field(made: Option) -> object:
    default = made.default
    if isinstance(default, str | bool | tuple):
        return dataclasses.field(default=made.value({}), metadata={_KEY: made})
    return dataclasses.field(default_factory=lambda: made.value({}), metadata={_KEY: made})
