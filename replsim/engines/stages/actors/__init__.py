"""The actors of the pipeline, each with its kernel, its draws and its state between two chunks of the run."""
