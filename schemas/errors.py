"""Errors that a user can mend. The message is the whole interface; the class decides the exit code."""


class BimedvError(Exception):
    """Base of what the command shows as one line. One argument only, so that it crosses process borders."""

    exit_code = 1


class InputError(BimedvError):
    """Wrong usage, config or input: nothing was done."""

    exit_code = 2


class StoppedError(BimedvError):
    """A budget or a gate stopped the run."""

    exit_code = 3


class AccessError(BimedvError):
    """An access or licence rule forbids it: nothing was sent or written."""

    exit_code = 4


def input_error(place: str, field: str, found: object, fix: str) -> InputError:
    """One line: place (file, file:row, file:key), field, what was found, what to do."""
    return InputError(f"{place}: {field} is {found!r}. {fix}")
