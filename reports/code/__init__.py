"""Training code to paste for the fastest pipeline."""
