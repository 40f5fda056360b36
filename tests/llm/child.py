"""Processes of their own that ask, and can be killed. They are forked from a server that has everything imported."""

import multiprocessing
from contextlib import contextmanager

from pipeline.database import open_database
from schemas.errors import StoppedError
from tests.llm.asking import ask, ask_in_batches, request

_ASK = {"online": ask, "batch": ask_in_batches}
STOPPED = 3


def run(kind, url, database, texts, options):
    """Ask everything; exit code 0, or 3 for a StoppedError."""
    engine = open_database(database)
    try:
        _ASK[kind](url, engine, [request(text) for text in texts], **options)
    except StoppedError:
        raise SystemExit(STOPPED) from None


@contextmanager
def asking(kind, url, database, texts, **options):
    """A child that asks; killed at the end if it still runs."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.llm.child"])
    child = context.Process(target=run, args=(kind, url, database, texts, options))
    child.start()
    try:
        yield child
    finally:
        child.kill()
        child.join()
        child.close()


def finish(kind, url, database, texts, **options):
    """Ask in a child, and wait for its exit code."""
    with asking(kind, url, database, texts, **options) as child:
        child.join(60)
        return child.exitcode
