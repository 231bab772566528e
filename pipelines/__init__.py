"""What is measured: the contract, the built-in pipelines, and what they share.

loader_file: A user's own function as a pipeline
catalog:     What can be run, and how a SPEC is read
built_in:    The pipelines that Feedbench brings, and the tf.data steps that they share
images:      A folder's images and labels, the formats they have, and sample photos
system:      Processes and memory: signals, limits, and workers that may crash
knobs:       A pipeline's fields as its knobs
contract:    What a pipeline is given, and what it returns
errors:      What a person can cause, and its exit code
"""
