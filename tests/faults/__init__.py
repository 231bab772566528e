"""Faults that are injected into real runs of the command, and what must hold after each.

scenario.py    the language: `block 2 + 0.3: kill trial`, a line a fault; random ones from a seed
stage.py       where a scenario is played: photos, a small disk, the command and its processes
phases.py      which phase a run is in, by what it has written
actions.py     what each fault does, and to whom
invariants.py  what must hold after any fault
play.py        plays a scenario: the run, its report, its resumption

`tox -e faults` plays random scenarios and prints a line for each: seed, lines, outcome. To play one
again: FEEDBENCH_FAULTS_SEED=17 FEEDBENCH_FAULTS=1. Faults of a disk need root and a loop device;
faults of a clock need libfaketime. Where these are missing, random scenarios leave them out, and
fixed ones are skipped.
"""
