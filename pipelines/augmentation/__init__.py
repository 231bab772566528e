"""Augmentation: what is drawn at random for each training image, and how `--augment` says it."""
