"""A judge on loopback: it names the errors that a test has told it of, and no others, in the form that it was asked for."""

import json

from tests.endpoint import Endpoint, completion


class JudgeEndpoint(Endpoint):
    """`errors`: Arabic text to the errors that it names in it; a list of lists gives each reading its own.

    `says`: what it answers in place of JSON; `schemas`: whether it knows `response_format`.
    """

    def __init__(self):
        super().__init__()
        self.errors = {}
        self.says = None
        self.schemas = True

    def take(self, body, headers):
        fault = super().take(body, headers)
        if not self.schemas and "response_format" in body:
            return (400, {}, {"error": {"message": "Unknown parameter: response_format"}})
        return fault

    def answer(self, body, fault):
        whole = completion(body | {"messages": []}, fault)
        if fault is None and self.says is not None:
            whole["choices"][0]["message"]["content"] = self.says
        elif fault is None:
            shown = json.loads(body["messages"][-1]["content"])["segments"]
            found = {label: self._named(pair["target"], body["seed"]) for label, pair in shown.items()}
            whole["choices"][0]["message"]["content"] = json.dumps(found, ensure_ascii=False)
        return whole

    def _named(self, target, seed):
        errors = self.errors.get(target, [])
        return errors[seed] if errors and isinstance(errors[0], list) else errors


def error(severity, target_text="", category="accuracy/mistranslation", source_text=""):
    """One error as a judge writes it."""
    return {
        "category": category, "severity": severity, "source_text": source_text, "target_text": target_text,
        "explanation": f"a {severity} one",
    }  # fmt: skip
