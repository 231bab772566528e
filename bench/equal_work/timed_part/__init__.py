"""Whether the timed part delivered what the proof saw."""
