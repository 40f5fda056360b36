"""An endpoint that makes samples as well as it translates: what it says of a text is written here, first answer and second."""

import json

from tests.endpoint import Endpoint, asked_for, completion

#: (how the recipe's prompt begins, what is shown) to its answers: the first, and the one after the fault was named.
_EXPAND = "You turn the short answer"
_CONVERSATION, _QUESTIONS, _OPTIONS = "You write a conversation", "You write questions", "You write wrong options"

CAPTION = "The left lung shows a nodule of 8 mm. There is no pleural effusion. The heart is not enlarged."


def expanded(*answers):
    return [{"answer": answer} for answer in answers]


def exchanges(*pairs):
    return {"exchanges": [{"question": question, "answer": answer} for question, answer in pairs]}


NODULE = ("What does the left lung show?", "The left lung shows a nodule of 8 mm.")
EFFUSION = ("Is there a pleural effusion?", "No, there is no pleural effusion.")
HEART = ("Is the heart enlarged?", "Yes, the heart is enlarged.")
HEART_RIGHT = ("Is the heart enlarged?", "No, the heart is not enlarged.")

MADE = {
    (_EXPAND, "Is the heart enlarged in this image?"): expanded("Yes, the heart is enlarged in this image."),
    (_EXPAND, "Does the patient have pneumonia?"): expanded(
        "The patient has pneumonia.", "No, the patient does not have pneumonia."
    ),
    (_EXPAND, "Is there a fracture of the left rib?"): expanded(
        "No, there is no fracture of the right rib.", "There is a fracture of the left rib."
    ),
    (_EXPAND, "Which modality was used to take this image?"): expanded("The modality used to take this image was CT."),
    (_EXPAND, "Is the kidney seen behind the stomach here?"): expanded("Yes, the kidney is seen behind the stomach here."),
    (_OPTIONS, "Which modality was used to take this image?"): [{"distractors": ["MRI", "X-ray", "Ultrasound"]}],
    (_CONVERSATION, CAPTION): [exchanges(NODULE, EFFUSION)],
    (_QUESTIONS, CAPTION): [exchanges(NODULE, HEART), exchanges(NODULE, HEART, EFFUSION)],
}
#: What a good translator makes of them; the gate accepts each (test_make proves it).
MADE_ARABIC = {
    "Yes, the heart is enlarged in this image.": "نعم، القلب متضخم في هذه الصورة.",
    "No, the patient does not have pneumonia.": "لا، لا يعاني المريض من الالتهاب الرئوي.",
    "The modality used to take this image was CT.": "كانت طريقة التصوير المستخدمة لالتقاط هذه الصورة هي التصوير المقطعي المحوسب.",
}


class Maker(Endpoint):
    """`made` are its answers by recipe and text, `fails_at` is a text that it answers with HTTP 400.

    Every request of a recipe that it knows nothing of gets the text back.
    """

    def __init__(self, made=MADE):
        super().__init__()
        self.made = made
        self.fails_at = None

    def take(self, body, headers):
        fault = super().take(body, headers)
        return 400 if self.fails_at and self.fails_at in body["messages"][-1]["content"] else fault

    def answer(self, body, fault):
        value = completion(body, fault)
        for choice in value["choices"]:
            message = choice["message"]
            if fault in (None, "no_usage", "long") and choice["finish_reason"] == "stop":
                known = self._made(body) if recipe_of(body) else self._arabic(body, json.loads(message["content"]))
                message["content"] = json.dumps(known, ensure_ascii=False)
        return value

    def _made(self, body):
        again = body["messages"][-1]["content"].startswith("That answer cannot be used")
        answers = self.made.get((recipe_of(body), text_of(body)), [{"answer": text_of(body)}])
        return answers[-1 if again else 0]

    def _arabic(self, body, arabic):
        return arabic | {label: MADE_ARABIC[text] for label, text in asked_for(body["messages"]).items() if text in MADE_ARABIC}


def recipe_of(body):
    """How the prompt begins, when it is a recipe's."""
    system = body["messages"][0]["content"]
    return next((start for start in (_EXPAND, _CONVERSATION, _QUESTIONS, _OPTIONS) if system.startswith(start)), "")


def text_of(body):
    """The question or the caption that the request is about: the examples' come before it."""
    shown = next(one for one in reversed(body["messages"]) if one["role"] == "user" and one["content"].startswith("{"))
    value = json.loads(shown["content"])
    return value.get("caption") or value["question"]
