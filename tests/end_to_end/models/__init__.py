"""Commands that train a model, or feed one."""
