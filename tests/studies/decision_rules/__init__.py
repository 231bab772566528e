"""Simulated sittings: how often a rule of decision errs, and how soon it answers."""
