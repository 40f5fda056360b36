"""What the judge would take, before a translation is there to be read: part of `bimedv translate --estimate`.

In: English samples. Out: requests, tokens and US dollars, as if the gate rejected none; nothing is sent.
"""

from typing import Any

from pipeline.llm.answers import cost
from pipeline.llm.tokens import Characters, Tokenizer
from pipeline.quality.judge import request_for
from pipeline.quality.segments import cases_of
from pipeline.settings import Settings
from pipeline.workspace import Workspace, fingerprint

#: Characters of Arabic for one of English, and of Arabic in one token (TICO-19; FINDINGS and Gemma's tokenizer).
_ARABIC_CHARS, _ARABIC_CHARS_A_TOKEN = 0.9, 2.6
#: Of an answer: a label with its list, and an error with its words and explanation; experts found one in 27 % of texts
#: (BiMed-MBench, REFERENCE.md). In tokens.
_LABEL_TOKENS, _ERROR_TOKENS, _ERRORS = 8, 70, 0.27
_COUNTED = 300


def judge_estimate(settings: Settings, workspace: Workspace, counter: Tokenizer | Characters) -> dict[str, Any] | None:
    """Requests, prompt and completion tokens, US dollars online and in batch; None when the config has no judge."""
    endpoint = settings.endpoints.judge
    if endpoint is None:
        return None
    seen: set[str] = set()
    chars = counted_chars = counted = labels = 0
    for manifest in workspace.english():
        for sample in workspace.english_rows(manifest.chunk):
            for case in cases_of(sample, [""] * len(sample.turns)):
                request = request_for(case, 0, endpoint.structured, settings.translate.max_tokens)
                key = fingerprint(request.messages)
                if key in seen:
                    continue
                seen.add(key)
                size = sum(len(message["content"]) for message in request.messages)
                chars, labels = chars + size, labels + len(case.segments)
                arabic = _ARABIC_CHARS * sum(len(pair.source) for _, pair in case.segments)
                if len(seen) <= _COUNTED:
                    counted += counter.prompt(request.messages) + int(arabic / _ARABIC_CHARS_A_TOKEN)
                    counted_chars += size
    votes = settings.quality.votes
    prompt = int(votes * chars * counted / max(1, counted_chars))
    completion = int(votes * labels * (_LABEL_TOKENS + _ERRORS * _ERROR_TOKENS))
    online = cost(endpoint.price, prompt, 0, completion)
    return {
        "requests": votes * len(seen),
        "prompt_tokens": prompt,
        "completion_tokens": completion,
        "usd": {"online": online, "batch": online * endpoint.price.batch},
    }
