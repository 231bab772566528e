"""Texts that users read have none of the words that CONTRIBUTING.md replaces."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from tests.support.markdown import PAGES, ROOT

PACKAGES = ("bench", "pipelines", "reports")
# Words of CONTRIBUTING's list, and their kin, that have no natural use here -> what to write.
INSTEAD = {
    r"go(es|ne|ing)? on with": "resume",
    r"(laid )?beside": "compared with, next to, or as well as",
    r"(is|are|was|were) (told|said)": "is reported or shown; a note says",
    r"taken (again|anew)|retaken": "repeated",
    r"good level": "reference speed",
    r"(some|any)body('s)?|nobody's|one's own|a person('s)?": "your, or the user's",
    r"who(m)?ever": "which, or the thing itself",
    r"beforehand": "in advance, or first",
    r"(stands|lies) (in|on|at) (?!for)": "is in",
    r"whole blocks?": "completed block",
    r"cannot be (told|had)": "cannot tell, or is not available",
    r"(of|in|with|by) whose": "two sentences",
    r"take (another|--\S*)": "use, or choose",
    r"restless": "noisy",
    r"percents": "percent",
    r"as ever": "as usual",
    r"far off": "clearly different",
    r"none of ours": "not ours",
    r"(?<!there )is no (regular|run|dataset|folder|file|tf\.data)": "is not a",
    r"tell whether": "return whether",
    r"raises \w+ where": "raises if",
    r"none where": "none if",
    r"looked at": "checked",
}
AVOIDED = [(re.compile(rf"\b(?:{words})\b", re.IGNORECASE), INSTEAD[words]) for words in INSTEAD]
# Names in code are no words: what is between backticks, and a template's tags and expressions.
CODE = re.compile(r"`[^`]*`|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>")

Text = tuple[str, str]
"""Where a text is, and the text on one line."""


def strings(root: Path) -> Iterator[Text]:
    """Yield the strings of several words in the modules below `root`, docstrings included."""
    for file in sorted(root.rglob("*.py")):
        nodes = [*ast.walk(ast.parse(file.read_text(encoding="utf-8")))]
        inner = {id(v) for node in nodes if isinstance(node, ast.JoinedStr) for v in node.values}
        for node in nodes:
            match node:
                case _ if id(node) in inner:
                    continue
                case ast.JoinedStr(values=values):
                    parts = [v.value if isinstance(v, ast.Constant) else "X" for v in values]
                    text = "".join(map(str, parts))
                case ast.Constant(value=str(text)):
                    pass
                case _:
                    continue
            if " " in text.strip():
                yield f"{file.relative_to(root.parent)}:{node.lineno}", " ".join(text.split())


def pages() -> Iterator[Text]:
    """Yield the paragraphs of README, the documentation, and the templates of the HTML pages."""
    templates = [file for package in PACKAGES for file in (ROOT / package).rglob("*.html.j2")]
    for page in (*PAGES, *sorted(templates)):
        for paragraph in page.read_text(encoding="utf-8").split("\n\n"):
            yield str(page.relative_to(ROOT)), " ".join(paragraph.split())


def avoided_in(texts: Iterable[Text]) -> list[str]:
    return [
        f"{place}: {match[0]!r} in {text!r}; write: {instead}"
        for place, text in texts
        for pattern, instead in AVOIDED
        if (match := pattern.search(CODE.sub("", text)))
    ]


def test_no_string_of_the_packages_has_a_word_to_avoid() -> None:
    found = [each for package in PACKAGES for each in avoided_in(strings(ROOT / package))]
    assert not found, "\n".join(found)


def test_no_page_has_a_word_to_avoid() -> None:
    found = avoided_in(pages())
    assert not found, "\n".join(found)


def test_a_word_to_avoid_is_found_in_docstrings_and_in_messages_over_several_lines(
    tmp_path: Path,
) -> None:
    room = tmp_path / "room"
    room.mkdir()
    (room / "module.py").write_text(
        '"""What somebody wrote."""\n'
        "def f(run, beside):\n"
        '    raise ValueError(f"{run} was gone on"\n'
        '                     f" with {beside}")\n'
    )
    first, second = avoided_in(strings(room))
    assert first.startswith("room/module.py:1: 'somebody' in ")
    assert second.startswith("room/module.py:3: 'gone on with' in 'X was gone on with X'")
