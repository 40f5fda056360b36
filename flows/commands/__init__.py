"""One module a group of commands; each `register`s its own on the app."""
