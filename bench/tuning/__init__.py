"""The search for the fastest knobs: candidates, rungs, and a winner that is measured anew.

tuning:     The story: rungs of candidates, then the winner and the default in fresh blocks
keeper:     The record as it grows
halving:    Which candidates leave a rung, and which one is the best
scores:     How many times as fast, by rate or by the time of the planned epochs
allowance:  Which candidates the user allows
candidates: SPECs over the knobs that matter
schedule:   How the time is divided
"""
