"""What an SVG drawing shows."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

SVG = "{http://www.w3.org/2000/svg}"


def texts(svg: str) -> list[str]:
    """All texts, in the order in which they are drawn."""
    return ["".join(text.itertext()) for text in ET.fromstring(svg).iter(f"{SVG}text")]


def dots(svg: str) -> int:
    """How many dots are drawn: lines of no length, with round ends."""
    return svg.count("h0")


def numbers(svg: str) -> list[float]:
    """The numbers on the scale."""
    plain = (text.replace(",", "") for text in texts(svg))
    return [float(text) for text in plain if re.fullmatch(r"[\d.]+", text)]
