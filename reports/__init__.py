"""How it is shown. Reads what a run recorded; imports no TensorFlow."""
