"""The parts of the images for training and for validation: by a seed, or by the folder's parts."""
