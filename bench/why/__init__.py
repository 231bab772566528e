"""Why a pipeline is as fast as it is: traces, ceilings, steps, advice."""
