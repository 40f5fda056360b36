"""What de-identification finds of planted identifiers, in the half that it was tuned on and in the half that it was not."""

import re
import sys
from collections import Counter
from pathlib import Path

from pipeline.curate.deidentify import deidentify, suspected

PLANTED = Path(__file__).with_name("planted_identifiers.txt")
_MARK = re.compile("⟦(.*?)⟧")


def planted() -> dict[str, list[str]]:
    """The sentences of each half, identifiers in ⟦ ⟧."""
    halves: dict[str, list[str]] = {}
    for line in PLANTED.read_text(encoding="utf-8").splitlines():
        if line.startswith("== "):
            halves[line[3:]] = []
        elif line and not line.startswith("#"):
            halves[list(halves)[-1]].append(line)
    return halves


def left(sentence: str) -> list[str]:
    """The identifiers of a sentence of which a part is still there: a word of two letters or more, or two digits."""
    text = _MARK.sub(r"\1", sentence)
    found = deidentify(text)[0] if suspected([text])[0] else text
    kept = Counter(re.findall(r"\w\w+", _MARK.sub(" ", sentence)))
    there = Counter(re.findall(r"\w\w+", found)) - kept
    return [name for name in _MARK.findall(sentence) if any(there[part] for part in re.findall(r"\w\w+", name))]


def main() -> None:
    """Print recall for each half; with --show what was missed in the tuned one."""
    for half, sentences in planted().items():
        whole = sum(len(_MARK.findall(sentence)) for sentence in sentences)
        missed = [(name, sentence) for sentence in sentences for name in left(sentence)]
        sys.stdout.write(f"{half:<10} {1 - len(missed) / whole:6.1%} of {whole} planted identifiers found\n")
        if "--show" in sys.argv and half == "tuned":
            for name, sentence in missed:
                sys.stdout.write(f"   {name} | {deidentify(_MARK.sub(chr(92) + '1', sentence))[0]}\n")


if __name__ == "__main__":
    main()
