"""The command `feedbench prepared`."""

from __future__ import annotations

from feedbench.bench.cli import options
from feedbench.bench.options.option import Given, options_of, value_of
from feedbench.bench.options.run_options import RunOptions


@options.takes(options_of(RunOptions, "prepared"))
def prepared(
    *,
    given: Given,
    clear: options.Clear = False,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """List or remove the files that pipelines wrote in advance.

    \b
    Examples:
      feedbench prepared
      feedbench prepared --clear

    TFRecord files are an example. Later runs with the same images and knobs reuse the files.
    """
    from feedbench.bench.prepared.preparation import listing
    from feedbench.bench.prepared.store import Store

    store = Store(value_of(RunOptions, "prepared", given))
    print("\n".join(listing(store)))
    if clear:
        store.clear()
        print("All of these files are removed.")
