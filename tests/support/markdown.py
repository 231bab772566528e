"""README and the pages in docs: their blocks, links, headings and sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
GATE = ROOT / "docs" / "gate.md"
LOADER = ROOT / "docs" / "own-loader.md"
PAGES = (README, *sorted((ROOT / "docs").rglob("*.md")))

# An HTML comment right before a block that no test runs.
_NOT_RUN = re.compile(r"<!-- not run(?: here)?: .+ -->")
_FENCE = re.compile(r"^```(\w*)$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


@dataclass(frozen=True)
class Block:
    """One block of code."""

    page: Path
    line: int  # of its first line
    language: str  # of an indented block: sh
    text: str
    is_run: bool  # no comment says that no test runs it

    @property
    def name(self) -> str:
        return f"{self.page.name}:{self.line}"


def blocks(page: Path, *languages: str) -> list[Block]:
    """Return the blocks of a page in these languages."""
    return [block for block in _blocks(page) if block.language in languages]


def prose(page: Path) -> str:
    """Return a page without its blocks and comments."""
    lines = page.read_text(encoding="utf-8").splitlines()
    for block in _blocks(page):
        count = block.text.count("\n")
        lines[block.line - 1 : block.line - 1 + count] = [""] * count
    text = "\n".join(line for line in lines if not line.startswith("```"))
    return re.sub(r"<!--.*?-->", "", text, flags=re.DOTALL)


def sentences(page: Path) -> Iterator[str]:
    """Yield the sentences of a page: of its paragraphs, list items and cells of tables."""
    text = re.sub(r"<[^>]+>", "", prose(page))
    text = re.sub(r"\]\([^)]*\)", "]", text)
    text = re.sub(r"^\s*(#+|[-*]|\d\.|\|)\s", "\n\n", text, flags=re.MULTILINE)
    text = re.sub(r"\s\|\s?", "\n\n", text)
    for paragraph in re.split(r"\n\s*\n", text):
        for sentence in _SENTENCE_END.split(" ".join(paragraph.split())):
            if re.search(r"\w", sentence):
                yield sentence


def headings(page: Path) -> list[str]:
    """Return the headings of a page as the anchors of links name them."""
    titles = re.findall(r"^#+ (.+)$", prose(page), re.MULTILINE)
    return [re.sub(r"[^\w -]", "", title.lower()).strip().replace(" ", "-") for title in titles]


def links(page: Path) -> list[str]:
    """Return where the links and pictures of a page point to."""
    text = prose(page)
    return [
        *re.findall(r"\]\(([^)\s]+)\)", text),
        *re.findall(r'(?:src|srcset|href)="([^"]+)"', text),
    ]


def _blocks(page: Path) -> Iterator[Block]:
    lines = page.read_text(encoding="utf-8").splitlines()
    place = 0
    while place < len(lines):
        fence = _FENCE.match(lines[place])
        if fence:
            end = lines.index("```", place + 1)
            text = "".join(f"{line}\n" for line in lines[place + 1 : end])
            yield Block(page, place + 2, fence[1], text, is_run=_is_run(lines, place))
        elif lines[place].startswith("    ") and not lines[place - 1].strip():
            end = place
            while end < len(lines) and lines[end].startswith("    "):
                end += 1
            text = "".join(f"{line[4:]}\n" for line in lines[place:end])
            yield Block(page, place + 1, "sh", text, is_run=_is_run(lines, place))
            end -= 1
        else:
            end = place
        place = end + 1


def _is_run(lines: list[str], place: int) -> bool:
    before = [line for line in lines[:place] if line.strip()]
    return not (before and _NOT_RUN.fullmatch(before[-1].strip()))
