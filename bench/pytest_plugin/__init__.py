"""The front door for pytest: its hooks, options and runs."""
