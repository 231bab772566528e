"""Two versions of a loader in one run, until it is clear whether the new one is slower."""
