"""The processes of pipelines that have a Python of their own."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path

from feedbench.bench.processes.client import Processes
from feedbench.bench.processes.interpreters.interpreter import lent, needed, variables_of
from feedbench.bench.processes.other_python import name_of
from feedbench.bench.text import listed
from feedbench.pipelines.catalog import Spec

_LENT = "lent"  # the folder of Feedbench for other interpreters


@contextmanager
def own_processes(
    specs: Iterable[Spec], scratch: Path, on_start: Callable[[str], object]
) -> Iterator[dict[str, Processes]]:
    """Start the processes of each pipeline's own Python, and yield them by its path.

    Their scratch folders are in `scratch`; `on_start` is called with what is being done. Raises
    ForkserverError if one cannot import what its pipelines need.
    """
    interpreters = needed(specs)
    with ExitStack() as held:
        started = {}
        path = lent(scratch / _LENT) if interpreters else scratch
        for place, each in enumerate(interpreters, 1):
            on_start(
                f"importing {listed([*each.modules]) or 'Feedbench'} in {name_of(each.python)}"
            )
            folder = scratch / f"interpreter-{place}"
            folder.mkdir()
            processes = Processes(
                folder,
                scratch / f"interpreter-{place}.log",
                each.python,
                modules=(*each.modules,),
                variables=variables_of(each.python, path),
            )
            started[each.python] = held.enter_context(processes)
            processes.ready()
        yield started


def lent_again(others: Mapping[str, Processes], scratch: Path) -> None:
    """Lend Feedbench to other interpreters again if another program removed the scratch folder."""
    if others and not (scratch / _LENT).exists():
        lent(scratch / _LENT)
