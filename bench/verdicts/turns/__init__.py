"""What the turns of a rotation say: log ratios by block, and whose turns other programs were in."""
