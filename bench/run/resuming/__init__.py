"""A run that another process began: what it needs to be resumed, and to be extended.

basis.py      resume.json: the request, and whether images and software are still the same
extension.py  blocks or time that are added to a run
past.py       the run so far: what is kept of it, and what is left to measure
"""
