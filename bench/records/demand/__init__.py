"""Whether a model waits for its input: what a trial measures, and what a run concludes."""
