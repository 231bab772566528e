"""The pipelines that come with Feedbench, and the tf.data steps that they share."""
