"""The corpora as published: one module a family, each a declaration and one function that yields records."""
