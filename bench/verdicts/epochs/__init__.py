"""How long epochs of the whole folder take, and after how many a preparation pays off: pure."""
