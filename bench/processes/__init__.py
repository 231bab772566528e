"""The parent's side of a trial: start a process, follow it, record it."""
