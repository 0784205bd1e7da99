"""What runs a model: one module for each engine, behind the protocol `completion.model.Model`."""
