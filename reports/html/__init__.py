"""The pages: of a run, of several runs, and of a comparison."""
