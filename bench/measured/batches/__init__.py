"""The batches of a measured pipeline: their forms, what is checked of each, which are kept."""
