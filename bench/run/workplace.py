"""What a run uses until it ends: processes, meters, the monitor, a scratch folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from feedbench.bench.machine.meters import Meters
from feedbench.bench.machine.monitor import Monitor
from feedbench.bench.machine.page_cache import PageCache
from feedbench.bench.options.run_options import RunOptions
from feedbench.bench.prepared.store import Store
from feedbench.bench.processes.client import Processes, RemoteTraceback, what_went_wrong
from feedbench.bench.processes.folder_views import Views
from feedbench.bench.processes.interpreters.own_processes import lent_again, own_processes
from feedbench.bench.processes.loader_links import linked
from feedbench.bench.processes.progress import Listener
from feedbench.bench.processes.run_folder import RunFolder
from feedbench.bench.processes.trials import Trials
from feedbench.bench.records.conditions.environment import Other
from feedbench.bench.records.messages import Built, Failed, Form, Request, Start
from feedbench.bench.records.trial import TrialRecord
from feedbench.pipelines import catalog
from feedbench.pipelines.catalog import Spec
from feedbench.pipelines.contract import Preparing
from feedbench.pipelines.errors import RequestError

_CHECK_LIMIT_SECONDS = 60.0  # for the import of a user's loader


@dataclass(frozen=True)
class Workplace:
    """What the stages of a run use."""

    processes: Processes
    others: Mapping[str, Processes]  # of other environments, by their interpreters
    meters: Meters
    machine: Monitor
    scratch: Path
    views: Views  # the folders that pipelines walk
    links: Mapping[str, str]  # the paths that loaders' files are imported by, by label
    store: Store
    preparing: frozenset[str]  # labels of the pipelines that have an offline part
    import_seconds: float  # of TensorFlow
    listener: Listener
    restore: Callable[[], object]  # write the links anew, after another program removed them

    def trials(
        self,
        folder: RunFolder,
        labels: Iterable[str],
        options: RunOptions,
        *,
        page_cache: PageCache | None = None,
        records: Sequence[TrialRecord] = (),
        explained: Callable[[TrialRecord], TrialRecord] = lambda record: record,
    ) -> Trials:
        """Return the object that runs a run's trials, after those of `records`.

        `explained` is as in Trials.
        """
        return Trials(
            self.processes,
            folder,
            self.scratch,
            tuple(labels),
            fresh_interpreter=options.fresh_interpreter,
            meters=self.meters,
            machine=self.machine,
            page_cache=page_cache,
            others=self.others,
            pace=options.pace,
            pinned=options.pinned,
            records=records,
            views=self.views,
            links=self.links,
            explained=explained,
            note=self.listener.note,
            on_restored=self.restore,
            debug=options.debug,
        )


@contextmanager
def workplace(
    options: RunOptions,
    specs: Mapping[str, Spec],
    other: Other | None,
    machine: Monitor,
    listener: Listener,
) -> Iterator[Workplace]:
    """Start what a run uses. Raises RequestError if a loader cannot be imported."""
    with (
        scratch_folder() as scratch,
        Processes(scratch, scratch / "forkserver.log") as processes,
        Meters() as meters,
        ExitStack() as held,
    ):
        listener.stage("importing TensorFlow")
        import_seconds = processes.ready().seconds
        others = {}
        if other is None:
            others = held.enter_context(own_processes(specs.values(), scratch, listener.stage))
        else:
            listener.stage(f"importing TensorFlow in {other.name}")
            others[other.python] = held.enter_context(_other_processes(scratch, other))

        def link() -> dict[str, str]:
            if other is None:
                lent_again(others, scratch)
            return {} if options.tolerance is None else linked(specs.values(), scratch / "loaders")

        links = link()
        preparing = preparing_labels(
            {"": processes, **others}, specs.values(), scratch, links, options.form
        )
        store = Store(options.prepared)
        if preparing:
            held.enter_context(store.in_use())
        yield Workplace(
            processes=processes,
            others=others,
            meters=meters,
            machine=machine,
            scratch=scratch,
            views=Views(scratch),
            links=links,
            store=store,
            preparing=preparing,
            import_seconds=import_seconds,
            listener=listener,
            restore=link,
        )


@contextmanager
def scratch_folder() -> Iterator[Path]:
    """Make a folder for caches and logs that is removed at the end.

    Raises RequestError if there is no room for it.
    """
    try:
        folder = Path(tempfile.mkdtemp(prefix="feedbench-"))
    except OSError as error:
        raise RequestError(
            f"cannot make a folder for caches and logs: {error.strerror or error}",
            hint="make room in /tmp, or set TMPDIR to another folder",
        ) from error
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def _other_processes(scratch: Path, other: Other) -> Iterator[Processes]:
    folder = scratch / "other"
    folder.mkdir()
    with Processes(folder, scratch / "other.log", other.python) as processes:
        processes.ready()
        yield processes


def preparing_labels(
    processes: Mapping[str, Processes],
    specs: Iterable[Spec],
    scratch: Path,
    links: Mapping[str, str] = MappingProxyType({}),
    form: Form | None = None,
) -> frozenset[str]:
    """Return the labels of the pipelines that have an offline part.

    Imports each user's pipeline in a child process of its interpreter, by its path in `links` if
    its label has one. So is a built-in one of another interpreter, which may refuse the form there.
    Raises RequestError if one cannot be imported, or refuses.
    """
    return frozenset(
        spec.label
        for spec in specs
        if _prepares(processes[spec.python], spec, scratch, links.get(spec.label, ""), form)
    )


def _prepares(
    processes: Processes, spec: Spec, scratch: Path, link: str, form: Form | None
) -> bool:
    if not (spec.is_foreign or spec.python):
        return issubclass(catalog.class_of(spec), Preparing)
    request = Request(
        label=spec.label,
        spec=spec.text,
        purpose="check",
        workload="",
        prepared="",
        scratch=str(scratch),
        link=link,
        form=form,
    )
    start = Start(request=request, log=str(scratch / "check.log"))
    outcome = processes.run(start, _CHECK_LIMIT_SECONDS)
    where = f" by {spec.python}" if spec.python and spec.python not in spec.text else ""
    if isinstance(outcome.result, Failed):
        failed = outcome.result
        cause = RemoteTraceback(failed.traceback) if failed.traceback else None
        sentence = f"--pipeline {spec.text}{where}: {failed.sentence}"
        raise RequestError(sentence, hint=failed.hint) from cause
    if wrong := what_went_wrong(outcome):
        raise RequestError(f"--pipeline {spec.text}: during its import{where}, {wrong}")
    return isinstance(outcome.result, Built) and outcome.result.prepares
