"""tf.data service: a dispatcher and workers, processes of their own, run a pipeline."""
