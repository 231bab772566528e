"""What the turns of a rotation show: log ratios, variances, and with whom other programs came."""
