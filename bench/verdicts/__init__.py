"""From trials to rates, intervals and verdicts: pure functions."""
