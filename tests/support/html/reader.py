"""A page as a reader without a browser has it."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser


class Reader(HTMLParser):
    """The cells of each table, by the table's name; and every element's attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tables: dict[str, list[list[str]]] = {}
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self._name = ""
        self._in_cell = False
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        if tag in {"h2", "h3"}:
            self._name = dict(attrs).get("id") or ""
        if tag == "tr":
            self.tables.setdefault(self._name, []).append([])
        if tag in {"th", "td"}:
            self.tables[self._name][-1].append("")
            self._in_cell = True
        if tag == "small" and self._in_cell:  # a unit below a title
            self.tables[self._name][-1][-1] += " "
        if tag == "span" and self._in_cell and self.tables[self._name][-1][-1]:  # a second line
            self.tables[self._name][-1][-1] += " "

    def handle_endtag(self, tag: str) -> None:
        if tag in {"th", "td"}:
            self._in_cell = False

    def handle_data(self, data: str) -> None:
        if self._in_cell:
            self.tables[self._name][-1][-1] += data.strip()


def without_own_scripts(text: str) -> str:
    """The page less its data and less the one script that its policy lets run."""
    (policy,) = re.findall(r"script-src '(sha256-[^']*)'", text)
    text = re.sub(r'<script type="application/json" id="data">[^<>&]*</script>', "", text)
    found = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    (own,) = [one for one in found if hashed(one) == policy]
    return text.replace(f"<script>{own}</script>", "")


def hashed(script: str) -> str:
    """What a policy calls a script by: https://www.w3.org/TR/CSP3/#grammardef-hash-source."""
    return f"sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}"
