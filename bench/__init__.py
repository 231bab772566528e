"""How it is measured. The rooms, front doors first; each imports only from those below it.

pytest_plugin: The front door for pytest: its hooks, options and runs
cli:           The front door: the commands and their options
gate:          Two versions of a loader in one run, until the answer is clear
selftest:      Pipelines whose behaviour is known, and whether this machine measures them so
training:      The story of trainings: one model through each pipeline
scaling:       How a rate grows with the workers of tf.data service, and with cores
tuning:        The search for the fastest knobs that a user allows
run:           The story of a run, stage by stage
options:       The options of a run, each declared once for all front doors
forkserver:    The process that imports TensorFlow, and forks and performs trials
pictures:      Pictures of what pipelines deliver
why:           Why a pipeline is as fast as it is: traces, ceilings, steps, advice
equal_work:    The proof that all pipelines deliver the same images
fitting:       What happens inside one process that trains a model
tfrecords:     The user's own TFRecord files, and their images as files
record_sets:   TFRecord files that a user keeps: what goes into each, and what writes them
prepared:      What pipelines write in advance, and where it is kept
images:        Which image files are fit to be measured
about:         What this Feedbench is, for another one that asks
processes:     The parent's side of a trial: start a process, follow it, record it
watching:      How long a training of the user's own waits for its input
measured:      What happens inside one measured process
verdicts:      From trials to rates, intervals and verdicts: pure functions
machine:       The computer itself: its cores, speed probe, meters, page cache and versions
records:       What is written down, what processes say to each other, and a run's pace and limits
disk_cache:    Files by key, the oldest removed when they take too much
files:         How files are written whole or not at all
text:          How numbers, times and counts are written

feedbench.pipelines holds what is measured: pipelines, knobs, and what makes an image a bad one.
feedbench.reports holds how a run is shown: sentences, tables and their columns, charts, pages.

A script that runs Feedbench, or reads what a run recorded, imports what it needs from here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedbench.bench.options.run_options import RunOptions
    from feedbench.bench.processes.progress import Listener, Quiet
    from feedbench.bench.records.row import Row
    from feedbench.bench.records.run import RunRecord
    from feedbench.bench.records.storage import read_run, read_trials
    from feedbench.bench.records.trial import TrialRecord
    from feedbench.bench.run.run import perform

__all__ = [
    "Listener",
    "Quiet",
    "Row",
    "RunOptions",
    "RunRecord",
    "TrialRecord",
    "perform",
    "read_run",
    "read_trials",
]

if not TYPE_CHECKING:  # so that mypy still knows which names there are
    _PLACES = {
        "Listener": "processes.progress",
        "Quiet": "processes.progress",
        "Row": "records.row",
        "RunOptions": "options.run_options",
        "RunRecord": "records.run",
        "TrialRecord": "records.trial",
        "perform": "run.run",
        "read_run": "records.storage",
        "read_trials": "records.storage",
    }

    def __getattr__(name: str) -> object:
        """Import a public name when it is asked for: `feedbench --help` needs none of them."""
        if name not in _PLACES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from importlib import import_module

        return getattr(import_module(f"{__name__}.{_PLACES[name]}"), name)
