"""Pages: made of claimed runs, and as a reader or a browser has them."""
