"""How a rate grows with the workers of tf.data service, and with cores."""
