"""The real command's parser without its verbs: does a line of a document mean anything to `bimedv`?"""

import typer.main

from flows.main import app

COMMAND = typer.main.get_command(app)


def parse(words):
    """(path, values) of a command line. Raises typer's UsageError for what `bimedv` would refuse; runs nothing."""
    assert words[0] == "bimedv", words
    command, context, words = COMMAND, None, words[1:]
    name = "bimedv"
    while True:
        context = command.make_context(name, list(words), parent=context)
        if not hasattr(command, "commands"):
            return context.command_path, context.params
        name, command, words = command.resolve_command(context, [*context._protected_args, *context.args])


def paths(command=COMMAND, head="bimedv"):
    """Path to command of everything registered."""
    if not hasattr(command, "commands"):
        return {head: command}
    return {path: leaf for name, inner in command.commands.items() for path, leaf in paths(inner, f"{head} {name}").items()}


def options(command):
    """All spellings of a command's options."""
    return {spelling for parameter in command.params for spelling in parameter.opts if spelling.startswith("-")}
