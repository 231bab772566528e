"""What fits into the time of a run, and what its blocks show so far: pure functions."""
