"""What the callers of a client share: waiting for many calls, and what a call that did not end well means for its text."""

import asyncio
import re
from collections.abc import Awaitable, Sequence
from typing import Literal, TypeVar

from schemas.errors import StoppedError
from schemas.translation import Call

T = TypeVar("T")
#: What endpoints say of a `response_format` that they do not know (status 400 or 422).
_NO_SCHEMA = re.compile(r"^HTTP 4(?:00|22): .*(?:response_format|json_schema|guided|grammar|structured output)", re.I | re.S)


async def all_ended(work: Sequence[Awaitable[T]]) -> list[T]:
    """Results in order. When one is stopped, the others still come to their end: what was sent is paid and gets recorded."""
    ended = await asyncio.gather(*work, return_exceptions=True)
    faults = [one for one in ended if isinstance(one, BaseException)]
    if faults:
        raise next((fault for fault in faults if not isinstance(fault, StoppedError)), faults[0])
    return [one for one in ended if not isinstance(one, BaseException)]


def bad(call: Call) -> tuple[Literal["unusable", "failed"], str]:
    """State and error of a text whose call is not ok.

    Truncated, refused and unparsed answers are unusable; errors of the endpoint are failures, tried again next time.
    """
    state: Literal["unusable", "failed"] = "unusable" if call.state in ("truncated", "refused", "invalid") else "failed"
    return state, f"{call.state}: {call.error or ''}".strip()


def knows_no_schema(call: Call) -> bool:
    """Whether the endpoint refused the JSON schema and not what was asked with it."""
    return call.state == "permanent" and _NO_SCHEMA.search(call.error or "") is not None
