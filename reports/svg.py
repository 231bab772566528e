"""matplotlib's SVG made fit to stand within an HTML page, in light and in dark."""

from __future__ import annotations

import html
import io
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import matplotlib as mpl
from matplotlib.figure import Figure

from feedbench.reports.visible import visible

# matplotlib takes colours, not CSS variables: these are drawn, and stand for what the page says.
INK, MUTED, RULE, BAND, PAPER = "#1b1f24", "#59616b", "#d3d8de", "#e4eaf2", "#fefefe"
_THEME = {INK: "ink", MUTED: "muted", RULE: "rule", BAND: "band", PAPER: "paper"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_TAG = re.compile(r"<[^<>]+>")  # text has its own < and > escaped


@contextmanager
def plain_style() -> Iterator[None]:
    """Have matplotlib draw and save as it comes, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        yield


def render(figure: Figure, name: str, title: str, description: str) -> str:
    """Return the figure as an <svg> element; `name` keeps its ids apart from other charts'.

    Text stays text, in the page's own fonts, and the same figure gives the same characters, where
    it was drawn in the plain style and is rendered in it.
    """
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), warnings.catch_warnings():
        # The browser has glyphs for what matplotlib's own font has not.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(file, format="svg", metadata=_NO_METADATA)
    svg = file.getvalue()
    body = svg[svg.index("<svg") :]
    body = re.sub(r"<style.*?</style>", "", body, count=1, flags=re.DOTALL)  # it is for any element
    body = _TAG.sub(lambda tag: _themed(tag[0], name), body)
    width, height = figure.get_size_inches() * figure.dpi
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'
        f' viewBox="0 0 {width:.0f} {height:.0f}" role="img"'
        f' aria-labelledby="{name}-title {name}-desc">'
        f'<title id="{name}-title">{html.escape(visible(title))}</title>'
        f'<desc id="{name}-desc">{html.escape(visible(description))}</desc>'
    )
    return re.sub(r"<svg[^>]*>", lambda _: head, body, count=1).strip()


def _themed(tag: str, name: str) -> str:
    tag = tag.replace(' id="', f' id="{name}-').replace('href="#', f'href="#{name}-')
    tag = tag.replace("url(#", f"url(#{name}-")
    tag = re.sub(r"font-family: [^;\"]*Mono[^;\"]*", "font-family: var(--mono, monospace)", tag)
    tag = re.sub(r"font-family: '[^;\"]*", "font-family: var(--sans, sans-serif)", tag)
    for colour, variable in _THEME.items():
        tag = tag.replace(colour, f"var(--{variable}, {colour})")
    return tag
