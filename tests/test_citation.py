"""CITATION.cff has what its format asks for, and cites the version that is here."""

from __future__ import annotations

import re
import tomllib

from tests.support.markdown import ROOT

TEXT = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
FIELDS = dict(re.findall(r'^([a-z-]+): *"?([^"\n]*)"?$', TEXT, re.MULTILINE))


def test_the_fields_that_the_format_requires_are_there() -> None:
    """Those of https://github.com/citation-file-format/citation-file-format, schema 1.2.0."""
    assert FIELDS.keys() >= {"authors", "cff-version", "message", "title"}
    assert FIELDS["cff-version"] == "1.2.0"
    assert re.search(r"^authors:\n  - name: \S", TEXT, re.MULTILINE)


def test_the_version_and_the_licence_are_those_of_the_package() -> None:
    assert FIELDS["version"] == PROJECT["version"]
    assert FIELDS["license"] == PROJECT["license"]


def test_the_date_is_that_of_the_version_in_the_changelog() -> None:
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    assert f"\n## {FIELDS['version']} - {FIELDS['date-released']}\n" in changes
