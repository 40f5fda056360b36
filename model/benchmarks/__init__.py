"""Benchmarks: a name, the questions with their references, and the measures that are usual for them."""
