"""The command `feedbench tensorboard`."""

from __future__ import annotations

from feedbench.bench.cli import options


def tensorboard(
    folder: options.RunFolder,
    port: options.Port = 6006,
    debug: options.Debug = False,  # noqa: ARG001 - main() reads it, which sees every error
) -> None:
    """Open a run's traces in TensorBoard.

    \b
    Examples:
      feedbench tensorboard feedbench-runs/2026-01-31T120000
      feedbench tensorboard RUN --port 0

    It prints the address of the profile page. Only this machine can open it. Without a network, the
    page has no charts. Ctrl-C ends it.
    """
    from feedbench.bench.why.tensorboard import serve

    serve(folder, port, print)
