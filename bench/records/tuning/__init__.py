"""What `feedbench tune` writes down: its rungs, its winner and the gain."""
