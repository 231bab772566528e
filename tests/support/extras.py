"""Tests that need an extra of Feedbench, which most environments do not have."""

from __future__ import annotations

from importlib.util import find_spec

import pytest


def needs_extra(extra: str, *modules: str) -> pytest.MarkDecorator:
    """Skip a test, saying which extra is missing, where these modules are not installed."""
    is_missing = any(map(_is_missing, modules))
    return pytest.mark.skipif(is_missing, reason=f"needs pip install 'feedbench[{extra}]'")


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:  # of the package that the module is in
        return True
