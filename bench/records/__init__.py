"""What is written down, and what processes say to each other."""
