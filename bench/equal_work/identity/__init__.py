"""Which file each delivered image is made of: how often, and in what order."""
