"""How long a training of the user's own waits for its input. Each module imports only from below.

callback:  The callback for Keras' `fit`
watch:     The wrapper of an iterable
tf_inputs: A tf.data iterator and dataset whose waits are seen, in a loop and in a compiled step
recorder:  What is collected while a training runs, and what is reported at its end
scalars:   TensorBoard's scalars
sentence:  The sentence
figures:   From times to figures: pure
times:     When batches were asked for, and when they arrived

It needs no run, and the training process imports nothing of Feedbench but this and the records.
"""
