"""The nouns: one Pydantic model a record, one Arrow schema a table. No I/O, imports nothing of ours."""
