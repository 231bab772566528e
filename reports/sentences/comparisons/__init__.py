"""Several runs in words: comparisons, gates, and runs side by side."""
