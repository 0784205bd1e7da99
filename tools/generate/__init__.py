"""Generates documentation and schemas from the tables in the code."""
