"""Makes matplotlib's SVG small, and fit for an HTML page in light and dark."""

from __future__ import annotations

import io
import math
import re
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any
from xml.etree import ElementTree as ET

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from feedbench.reports.text.escaping import visible

# matplotlib accepts colours, not CSS variables. Each colour here stands for a variable of the page.
INK, MUTED, RULE, BAND, PAPER = "#1b1f24", "#59616b", "#d3d8de", "#e4eaf2", "#fefefe"
_THEME = {INK: "ink", MUTED: "muted", RULE: "rule", BAND: "band", PAPER: "paper"}
_NO_METADATA = {"Date": None, "Creator": None, "Format": None, "Type": None}
_SVG = "http://www.w3.org/2000/svg"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d{2,}")
_DOT = re.compile(r"M (\S+) (\S+) L \1 \2(?: |$)")  # a line of no length, with round ends
_GROUP = f"{{{_SVG}}}g"
_STYLED = {f"{{{_SVG}}}{tag}" for tag in ("path", "use", "text")}
_PLACES = ("d", "x", "y", "transform")

DOTS = "dots"  # the id of such a path in a figure

ET.register_namespace("", _SVG)


@contextmanager
def plain_style() -> Iterator[None]:
    """Use matplotlib's defaults, whatever the user's matplotlibrc says."""
    with mpl.rc_context():
        mpl.rcdefaults()
        mpl.rcParams["path.simplify"] = False  # which would drop dots
        yield


def dots(axes: Axes, x: Sequence[float], y: Sequence[float], size: float, **style: Any) -> None:
    """Draw dots of a size in pixels as one path: single marks would make a page much larger.

    Each dot is a line without length and with round ends: two points and a gap, under the id DOTS.
    """
    gap = [math.nan] * len(x)
    across, up = (
        [value for point in zip(places, places, gap, strict=True) for value in point]
        for places in (x, y)
    )
    axes.plot(across, up, linewidth=size, solid_capstyle="round", gid=DOTS, **style)


def render(figure: Figure, name: str, title: str, description: str) -> str:
    """Return the figure as an <svg> element; `name` keeps its ids apart from other charts'.

    Text stays text, in the page's fonts. The same figure gives the same characters if it is drawn
    and rendered in the plain style. Nothing is clipped, so all parts must be within the frame.
    """
    file = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}), warnings.catch_warnings():
        # The browser has glyphs that matplotlib's font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing from", category=UserWarning)
        figure.savefig(file, format="svg", metadata=_NO_METADATA)
    root = ET.fromstring(file.getvalue())  # noqa: S314 - matplotlib has just written it
    _leave_out(root)
    _shorten(root, name)
    _share_styles(root)
    width, height = figure.get_size_inches() * figure.dpi
    root.attrib = {
        "viewBox": f"0 0 {width:.0f} {height:.0f}",
        "role": "img",
        "aria-labelledby": f"{name}-title {name}-desc",
    }
    for place, (tag, text) in enumerate((("title", title), ("desc", description))):
        element = ET.Element(f"{{{_SVG}}}{tag}", {"id": f"{name}-{tag}"})
        element.text = visible(text)
        root.insert(place, element)
    return ET.tostring(root, encoding="unicode")


def _leave_out(root: ET.Element) -> None:
    """Remove what the page does not need: metadata, global styles, clipping and white space."""
    for element in [*root.iter()]:
        for child in [*element]:
            if child.tag in {f"{{{_SVG}}}{tag}" for tag in ("metadata", "style", "clipPath")}:
                element.remove(child)
        element.attrib.pop("clip-path", None)
        element.tail = None
        if element.text is not None and not element.text.strip():
            element.text = None


def _shorten(root: ET.Element, name: str) -> None:
    """Keep ids that are referred to, use the theme's colours, and round places to 0.1 pixels."""
    used = dict.fromkeys(
        element.attrib[_HREF] for element in root.iter() if _HREF in element.attrib
    )
    ids = {old.removeprefix("#"): f"{name}-{number}" for number, old in enumerate(used)}
    for element in root.iter():
        if (link := element.attrib.pop(_HREF, None)) is not None:
            element.set("href", f"#{ids[link.removeprefix('#')]}")
        if (old := element.attrib.pop("id", None)) in ids:
            element.set("id", ids[old])
        if element.get("transform", "").startswith("rotate(-0 "):
            del element.attrib["transform"]
        for place in _PLACES:
            if place in element.attrib:
                element.set(place, _rounded(element.attrib[place]))
        if "style" in element.attrib:
            element.set("style", _themed(element.attrib["style"]))


def _rounded(text: str) -> str:
    short = _NUMBER.sub(lambda number: f"{float(number[0]):.1f}".removesuffix(".0"), text)
    return _DOT.sub(r"M\1 \2h0", " ".join(short.split()))


def _themed(style: str) -> str:
    style = re.sub(r"font-family: [^;]*Mono[^;]*", "font-family: var(--mono, monospace)", style)
    style = re.sub(r"font-family: '[^;]*", "font-family: var(--sans, sans-serif)", style)
    for colour, variable in _THEME.items():
        style = style.replace(colour, f"var(--{variable}, {colour})")
    return style


def _share_styles(element: ET.Element) -> None:
    """Group neighbours of the same style: thousands of points and texts share one."""
    groups: list[ET.Element] = []
    for child in element:
        _share_styles(child)
        for each in child if child.tag == _GROUP and not child.attrib else [child]:
            if each.tag in _STYLED and "style" in each.attrib and "id" not in each.attrib:
                group = ET.Element(_GROUP, {"style": each.attrib.pop("style")})
                group.append(each)
            else:
                group = each
            if groups and group.tag == _GROUP and group.attrib == groups[-1].attrib:
                groups[-1].extend(group)
            else:
                groups.append(group)
    element[:] = groups
