"""Files from outside, mutated: whatever they hold, Feedbench ends in a sentence or a result.

mutations.py  hypothesis strategies: real JSON and real bytes with a few changes
guard.py      what a reader may do: no file written or opened elsewhere, no program, in time

A quick test has a few dozen examples; the marker `faults` (tox -e faults) gives each some thousand.
"""
