"""Rates, intervals and verdicts from trials: pure functions."""
