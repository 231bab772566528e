"""The story of `feedbench train`: one model from one seed through each pipeline.

training: The story
keeper:   The record as it grows, and its files
follower: The epochs of one training, as they arrive
parts:    The training and the validation part, and what pipelines write of each in advance
likeness: Whether the pipelines train alike: pure functions
"""
