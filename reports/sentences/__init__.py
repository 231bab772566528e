"""What a run says in words: the answer, the notes and the reasons."""
