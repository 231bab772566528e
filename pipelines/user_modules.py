"""A user's module, found by its name without importing it or its packages."""

from __future__ import annotations

import os
import pkgutil
import sys
from collections.abc import Iterable
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from pathlib import Path

from feedbench.pipelines.errors import RequestError, did_you_mean


def file_of(name: str) -> Path:
    """Return the file of a module that the current folder or this environment has.

    Raises RequestError if there is none.
    """
    found: ModuleSpec | None = None
    head, *tail = name.split(".")
    try:
        found = find(head, [os.getcwd(), *sys.path]) or find_spec(head)  # noqa: PTH109
    except ValueError:  # __main__ has no spec
        found = None
    if found is None:
        raise RequestError(
            f"there is no module {head}",
            hint=f"it must be in this folder, {Path.cwd()}, or installed for {sys.executable}",
        )
    for part in tail:
        package, places = found.name, found.submodule_search_locations
        found = None if places is None else find(f"{package}.{part}", places)
        if found is None:
            modules = [] if places is None else [each.name for each in pkgutil.iter_modules(places)]
            where = "it is no package" if places is None else f"looked in {', '.join(places)}"
            raise RequestError(
                f"{package} has no module {part}; {where}", hint=did_you_mean(part, modules)
            )
    if found.origin is None or not found.has_location:
        raise RequestError(
            f"{name} is a folder or built into Python; expected a module with functions"
        )
    return Path(found.origin)


def find(name: str, places: Iterable[str]) -> ModuleSpec | None:
    """Return the module or package of this full name in the first of these folders that has it.

    importlib's PathFinder would need the package to be imported if it has no __init__.py.
    """
    portions: list[str] = []
    for place in places:
        finder = pkgutil.get_importer(place)
        found = None if finder is None else finder.find_spec(name)
        if found is None:
            continue
        if found.loader is not None:
            return found
        portions += found.submodule_search_locations or []
    if not portions:
        return None
    spec = ModuleSpec(name, None, is_package=True)
    spec.submodule_search_locations = portions
    return spec
