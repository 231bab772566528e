"""Labels from a CSV file or from the names of the images."""
