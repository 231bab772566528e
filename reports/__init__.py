"""How a run is shown. Each room imports only from the rooms below it.

trainings: Trainings as html, markdown, csv or json
tunings:   A tuning as markdown, and the winner's code
formats:   A run as html, markdown, csv, json, LaTeX or a picture
ci:        A gate, for GitHub Actions and GitLab
html:      The pages: of a run, of several runs, and of a comparison
code:      Training code to paste for the fastest pipeline
terminal:  What the commands print
markdown:  A run for a pull request
latex:     A run for a paper
charts:    The charts, drawn with matplotlib
tables:    A run's rows as tables: frames, columns, and whether they are sound
sentences: What a run says in words: the answer, the notes and the reasons
text:      How figures are written, hostile names escaped, and rows coloured

A script that shows a run imports what it needs from here.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from feedbench.reports.formats import render

__all__ = ["render"]

if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        """Import a public name when it is first used: it loads pandas and matplotlib."""
        if name not in __all__:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        from feedbench.reports import formats

        return getattr(formats, name)
