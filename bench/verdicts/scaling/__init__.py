"""How a rate grows with workers or cores: laws, and what they say of more of them. Pure."""
