"""The story of a run, stage by stage."""
