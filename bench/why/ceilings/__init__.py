"""Ceilings: what measures the best rate of this machine at a simpler task."""
