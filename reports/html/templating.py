"""Pages from templates: escaped, in one layout, with names that may break over lines."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from importlib.resources import files
from typing import TYPE_CHECKING

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from feedbench.reports.text.escaping import visible

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

_AS_ESCAPES = str.maketrans({char: f"\\u{ord(char):04x}" for char in "<>&\x7f"})


def environment() -> Environment:
    """Return the environment of the templates: it escapes, and allows no missing name."""
    templates = Environment(
        loader=PackageLoader("feedbench.reports.html"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    templates.filters |= {
        "breakable": _breakable,
        "lines": _lines,
        "prose": _prose,
        "two_lines": _two_lines,
    }
    return templates


def rendered(template: str, data: DataclassInstance) -> str:
    """Return a template's page, with the one script that pages have.

    The template knows the public attributes of `data`, fields and properties, by their names.
    """
    script = (files("feedbench.reports.html") / "templates" / "page.js").read_text(encoding="utf-8")
    return (
        environment()
        .get_template(template)
        .render(
            script=Markup(script),  # noqa: S704 - our own
            script_hash=Markup(_hash(script)),  # noqa: S704 - of letters and digits
            **{name: getattr(data, name) for name in dir(data) if not name.startswith("_")},
        )
    )


def embedded(value: object) -> Markup:
    """Return JSON, ASCII only, for a <script> element of data; NaN is null.

    Figures have seven digits that count, which is more than any measurement has.
    """
    plain = json.loads(msgspec.json.encode(value), parse_float=_with_seven_digits)
    text = json.dumps(plain, separators=(",", ":"), allow_nan=False)
    return Markup(text.translate(_AS_ESCAPES))  # noqa: S704 - nothing in it begins a tag


def _with_seven_digits(text: str) -> float:
    return float(f"{float(text):.7g}")


def _hash(script: str) -> str:
    """Return the hash of a script for a Content-Security-Policy."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"


def _visible(value: object) -> object:
    """Make a text harmless before the template escapes it; markup is harmless already."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _lines(text: str) -> Markup:
    """Keep the lines of a text, which is one line otherwise."""
    return Markup("\n").join(escape(visible(line)) for line in text.split("\n"))


def _breakable(label: str) -> Markup:
    """Let a label be broken between its words and knobs."""
    text = str(escape(visible(label)))
    return Markup(re.sub(r"([_:,=/])", r"\1<wbr>", text))  # noqa: S704 - escaped


def _prose(sentence: str) -> Markup:
    """Let long words of a sentence, such as a SPEC, be broken as labels are, and no number."""
    text = str(escape(visible(sentence)))
    return Markup(  # noqa: S704 - escaped
        re.sub(r"\S{16,}", lambda word: re.sub(r"([:,=/])(?=\w)", r"\1<wbr>", word[0]), text)
    )


def _two_lines(title: str) -> Markup:
    """Let a title be broken once, where the longer of its two lines is the shortest."""
    words = visible(title).split(" ")
    pairs = [(" ".join(words[:n]), " ".join(words[n:])) for n in range(1, len(words))]
    if len(pairs) < 2:  # noqa: PLR2004 - of up to two words
        return escape(" ".join(words))
    first, second = min(pairs, key=lambda pair: max(map(len, pair)))
    return Markup("<span>{}</span> <span>{}</span>").format(first, second)
