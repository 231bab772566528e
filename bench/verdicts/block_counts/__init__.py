"""How many blocks a run measures, and what its number of them means for its verdicts. Pure.

certainty.py  how sure intervals are, by how the number of blocks came about
more.py       about how many more blocks would decide, and how long they take
stopping.py   the rules by which there are enough
"""
