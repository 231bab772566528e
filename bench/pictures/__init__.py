"""Pictures of what pipelines deliver: the process that collects images, and the drawing."""
