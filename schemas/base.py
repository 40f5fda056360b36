"""What every noun shares: frozen, strict about unknown fields, one-line errors."""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, StringConstraints

Language = Literal["en", "ar"]
Task = Literal["vqa", "mcq", "conversation", "caption", "report", "summary", "text_qa"]
Access = Literal["open", "credentialed", "restricted"]
Role = Literal["user", "assistant", "system"]
Severity = Literal["neutral", "minor", "major", "critical"]
Verdict = Literal["accept", "refine", "review", "reject"]

#: Usable as a WebDataset key: no dots, which WebDataset would take for the start of the extension.
SampleId = Annotated[str, StringConstraints(pattern=r"^[a-z0-9_-]+$", max_length=93)]
"""A member of a tar has a name of at most 100 characters, and adds up to 7 to the id (.98.png)."""
Sha256 = Annotated[str, StringConstraints(pattern=r"^[0-9a-f]{64}$")]


class Noun(BaseModel):
    """A record that crosses a border; equal content means equal record. Its errors do not quote the text (law 7)."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
