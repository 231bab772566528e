"""Pipelines, feeds and loader files, right ones and such with one fault."""
