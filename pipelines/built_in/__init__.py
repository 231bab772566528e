"""The pipelines that Feedbench brings, and the tf.data steps that they share."""
