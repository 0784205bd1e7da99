"""What runs a model: one module for each engine, each with the protocol `completion.model.Model`."""
