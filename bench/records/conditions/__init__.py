"""What a trial was measured under: the machine, its calm, its page cache, and what it used."""
