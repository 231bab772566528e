"""After the blocks: each pipeline feeds a model, in blocks of their own."""
