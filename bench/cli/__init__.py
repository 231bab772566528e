"""The front door: the commands and their options."""
