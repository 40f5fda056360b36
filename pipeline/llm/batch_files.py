"""The two kinds of files of a batch API. In: calls that are written down. Out: one JSON line each; and lines back to Calls.

A line carries `custom_id`, key and attempt in the ledger, by which the answer finds its call whatever the order.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

import orjson

from pipeline.llm.answers import Entry, Request, body_of, completed, failed
from pipeline.settings import PriceSettings
from schemas.translation import Call

URL: Final[Literal["/v1/chat/completions"]] = "/v1/chat/completions"


class Answer(NamedTuple):
    """One line of an output or error file."""

    key: str
    attempt: int
    status: int | None
    body: Any
    """The completion or the error; what the provider said instead when there was no HTTP answer at all."""


def request_line(key: str, request: Request, model: str) -> bytes:
    """A line without its attempt, which is known once the call stands in the ledger; see `numbered`."""
    return orjson.dumps({"custom_id": key, "method": "POST", "url": URL, "body": body_of(request, model)}) + b"\n"


def numbered(line: bytes, entry: Entry) -> bytes:
    """The line as it is sent."""
    return line.replace(entry.key.encode(), f"{entry.key}-{entry.attempt}".encode(), 1)


def answers(raw: bytes) -> Iterator[Answer]:
    """The lines of a file; one that cannot be read is left out, so that its call counts as not answered.

    Only b"\\n" ends a line: answers may hold U+2028, which str.splitlines would take for one.
    """
    for line in raw.split(b"\n"):
        try:
            found = orjson.loads(line)
            key, _, attempt = str(found["custom_id"]).rpartition("-")
            response = found.get("response") or {}
            yield Answer(key, int(attempt), response.get("status_code"), response.get("body") or found.get("error"))
        except (orjson.JSONDecodeError, TypeError, KeyError, ValueError, AttributeError):
            continue


def settled(entry: Entry, answer: Answer, price: PriceSettings) -> Call:
    """The Call of one line, at the batch price. Whether the text has the right form is found out by whoever asked."""
    if answer.status == 200:
        return completed(entry, answer.body, lambda _text: None, price, price.batch)
    if answer.status is not None:
        return failed(entry, answer.status, orjson.dumps(answer.body))
    words = answer.body.get("message") or answer.body.get("code") if isinstance(answer.body, dict) else answer.body
    return entry.settled("retryable", f"not answered in the batch: {words or 'no reason given'}")
