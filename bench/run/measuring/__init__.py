"""The blocks of a run: which trials, in which order, and their turns."""
