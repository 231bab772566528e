"""Pages of templates: escaped, in one layout, with names that may be broken over lines."""

from __future__ import annotations

import re
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from feedbench.reports.visible import visible


def rendered(template: str, **values: Any) -> str:
    """Return a template's page with these values."""
    environment = Environment(
        loader=PackageLoader("feedbench.reports"),
        autoescape=True,
        undefined=StrictUndefined,
        finalize=_visible,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["breakable"] = _breakable
    return environment.get_template(template).render(**values)


def _visible(value: object) -> object:
    """Make harmless what the template is about to escape; markup has been through that."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _breakable(label: str) -> Markup:
    """Let a label be broken where a person would, between its words and knobs."""
    text = str(escape(visible(label)))
    return Markup(re.sub(r"([_:,=/])", r"\1<wbr>", text))  # noqa: S704 - escaped
