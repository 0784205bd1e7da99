"""Models behind `completion.model.Model`: one module for each engine."""
