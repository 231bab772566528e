"""How pipelines augment, and what it costs them."""
