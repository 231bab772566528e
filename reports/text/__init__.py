"""How figures are written, hostile names escaped, and rows coloured."""
