"""Trainings in words, and how long they wait."""
