"""How it is measured: the schedule, a process per trial, the phases, the statistics."""
