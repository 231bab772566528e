"""The library that a peer needs: whether it is installed, how new it is, and its import."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec
from typing import TYPE_CHECKING

from feedbench.pipelines.errors import RequestError

if TYPE_CHECKING:
    from types import ModuleType


@dataclass(frozen=True)
class Requirement:
    """The packages of one of Feedbench's extras, which a peer needs."""

    extra: str
    modules: Mapping[str, str]  # what is imported: the distribution that has it
    least: Mapping[str, tuple[int, ...]]  # of a distribution: the first version that will do

    @property
    def hint(self) -> str:
        """What to do without them."""
        return f"install the extra: pip install 'feedbench[{self.extra}]'"

    def refuse(self) -> None:
        """Raise RequestError if a package is missing or too old. Imports none of them."""
        missing = [dist for module, dist in self.modules.items() if _is_missing(module)]
        if missing:
            raise RequestError(
                f"it needs {' and '.join(missing)}, which this Python does not have",
                hint=self.hint,
            )
        for distribution, least in self.least.items():
            installed = _version(distribution)
            if installed and _numbers(installed) < least:
                raise RequestError(
                    f"it needs {distribution} {'.'.join(map(str, least))} or newer;"
                    f" this Python has {installed}",
                    hint=f"{self.hint} --upgrade",
                )

    def imported(self, module: str) -> ModuleType:
        """Return a module that imports the packages, such as a peer's feed.

        Raises RequestError as `refuse` does, and if the import of a package fails.
        """
        self.refuse()
        try:
            return import_module(module)
        except Exception as error:
            names = " and ".join(dict.fromkeys(self.modules.values()))
            raise RequestError(
                f"it needs {names}, whose import fails: {type(error).__name__}: {error}",
                hint=f"install the extra anew: pip install --force-reinstall"
                f" 'feedbench[{self.extra}]'",
            ) from error


def _is_missing(module: str) -> bool:
    try:
        return find_spec(module) is None
    except ModuleNotFoundError:  # of the package that the module is in
        return True


def _version(distribution: str) -> str:
    """Return the version of an installed distribution; "" for one without metadata."""
    try:
        return version(distribution)
    except PackageNotFoundError:  # built in place, or put on the path
        return ""


def _numbers(text: str) -> tuple[int, ...]:
    """Return the numbers of a version such as 2.9.1+cpu, up to the first part with a letter."""
    numbers: list[int] = []
    for part in text.partition("+")[0].split("."):
        if not part.isdecimal():
            break
        numbers.append(int(part))
    return tuple(numbers)
