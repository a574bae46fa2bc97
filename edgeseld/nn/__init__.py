"""Torch networks: the in-graph frontend, encoders, sequence models and heads, all from one assembly."""
