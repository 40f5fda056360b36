"""The only way to a language model: client, ledger of calls, and the embedded server."""
