"""Where the time of a loader in Python or C++ goes: samples of its stacks by py-spy."""
