"""WebDataset: images in tar files, which are written in advance and read one after another."""
