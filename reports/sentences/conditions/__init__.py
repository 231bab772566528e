"""Sentences on the conditions of a run: other programs, and the page cache."""
