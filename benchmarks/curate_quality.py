"""What curation finds and what it leaves alone: planted identifiers and benchmark items, and real text that holds neither.

The real text lies in `shared/corpora` beside this repository, if at all. `--show` prints what was missed and what was found.
"""

import argparse
import random
import re
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from pipeline.curate.decontaminate import Benchmarks, Hit, Item
from pipeline.curate.deidentify import deidentify, suspected
from pipeline.curate.identifiers import RULES
from pipeline.sources.registry import corpus
from schemas.sample import IMAGE_MARK, Origin, Sample, Turn

PLANTED = Path(__file__).with_name("planted_identifiers.txt")
REAL = Path(__file__).resolve().parents[1].parent / "shared" / "corpora"
FILES = {
    "pubmedqa": "pubmedqa/ori_pqal.json", "mts_dialog": "mts_dialog/MTS-Dialog-TrainingSet.csv", "slake": "slake/train.json",
    "iu_xray": "iu_xray/indiana_reports.csv", "llava_med": "llava_med/llava_med_eval_qa50_qa.jsonl",
}  # fmt: skip
HELD_OUT = {"mts_dialog": "mts_dialog/MTS-Dialog-ValidationSet.csv", "slake": "slake/validate.json"}
ITEMS = 500
MARK = re.compile("⟦(.*?)⟧")
_SENTENCES = re.compile(r"(?<=[.?!])\s+|\n")
_OTHER_WORDS = ("otherwise", "certain", "novel", "thing")


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
    text = MARK.sub(r"\1", sentence)
    found = deidentify(text)[0] if suspected([text])[0] else text
    kept = Counter(re.findall(r"\w\w+", MARK.sub(" ", sentence)))
    there = Counter(re.findall(r"\w\w+", found)) - kept
    return [name for name in MARK.findall(sentence) if any(there[part] for part in re.findall(r"\w\w+", name))]


def texts(name: str, file: str) -> Iterator[tuple[Item, bool]]:
    """Each draft of a real corpus as an item, and whether it is about images."""
    for record in corpus(name).read(REAL / file):
        for draft in record.drafts:
            turns = tuple((role, text.replace(IMAGE_MARK, "").strip()) for role, text in draft.turns)
            yield Item(f"{name} {record.id}", turns, pictured=bool(draft.images)), bool(draft.images)


def edited(draw: random.Random, text: str) -> str:
    """One or two words replaced, another case, other marks."""
    words = text.split(" ")
    for place in draw.sample(range(len(words)), min(len(words), draw.choice((1, 2)))):
        words[place] = draw.choice(_OTHER_WORDS)
    text = draw.choice((str.lower, str.upper, str.title, str))(" ".join(words))
    return re.sub(r"[.,;:?!]", lambda mark: draw.choice((mark.group(), "", "-", " ")), text)


def hits(benchmarks: Benchmarks, turns: Sequence[tuple[tuple[str, str], ...]]) -> list[Hit]:
    """What of samples with these turns is found."""
    origin = Origin(file="a.json", row=1, sha256="0" * 64)
    rows = [
        Sample(
            id="s", corpus="llava", record="s", split="train", task="text_qa", language="en", licence="unknown", access="open",
            turns=tuple(Turn.model_validate({"role": role, "text": text}) for role, text in each), origin=origin,
        )
        for each in turns
    ]  # fmt: skip
    return [hit for hit in benchmarks.hits(rows) if hit is not None]


def identifiers(show: bool) -> None:
    """Recall on each planted half."""
    for half, sentences in planted().items():
        whole = sum(len(MARK.findall(sentence)) for sentence in sentences)
        missed = [(name, sentence) for sentence in sentences for name in left(sentence)]
        sys.stdout.write(f"{half:<10} {1 - len(missed) / whole:6.1%} of {whole} planted identifiers found\n")
        for name, sentence in missed if show and half == "tuned" else ():
            sys.stdout.write(f"   {name} | {deidentify(MARK.sub(chr(92) + '1', sentence))[0]}\n")


def real_identifiers(show: bool) -> None:
    """How many sentences of real text are changed, redactions aside; whether they are identifiers is for the eye."""
    for name in ("mts_dialog", "iu_xray"):
        found: list[str] = []
        sentences = 0
        for item, _ in texts(name, FILES[name]):
            sentences += sum(1 for sentence in _SENTENCES.split(item.text) if sentence.strip())
            for placeholder, rule in RULES[1:]:
                found += [f"{placeholder} {match.group()}" for match in rule.finditer(item.text)]
        sys.stdout.write(f"{name:<10} {len(found)} identifiers found in {sentences:,} sentences ({len(found) / sentences:.2%})\n")
        for line in found if show else ():
            sys.stdout.write(f"   {line}\n")


def contamination(show: bool) -> None:
    """Verbatim and edited items of a benchmark, and other real texts."""
    draw = random.Random(1)
    read = {name: list(texts(name, file)) for name, file in FILES.items()}
    held = {name: list(texts(name, file)) for name, file in HELD_OUT.items()}
    items = [*read["pubmedqa"][: ITEMS - len(held["mts_dialog"])], *held["mts_dialog"]]
    benchmarks = Benchmarks(item for item, _ in items)
    changed = [tuple((role, edited(draw, text)) for role, text in item.turns) for item, _ in items]
    for kind, turns in (("verbatim", [item.turns for item, _ in items]), ("edited", changed)):
        sys.stdout.write(f"{kind:<10} {len(hits(benchmarks, turns)) / len(turns):6.1%} of {len(turns)} items found\n")
    others = {name: rows[ITEMS if name == "pubmedqa" else 0 :] for name, rows in read.items()}
    pictured = {"slake": held["slake"], "iu_xray": read["iu_xray"][::2]}
    tests = [(benchmarks, name, rows) for name, rows in others.items()]
    tests += [(Benchmarks(item for item, _ in rows), f"{name}*", read[name][1::2]) for name, rows in pictured.items()]
    for against, name, rows in tests:
        found = hits(against, [item.turns for item, _ in rows])
        sys.stdout.write(f"{name:<10} {len(found) / len(rows):6.2%} of {len(rows):,} other texts taken for items\n")
        for hit in found if show else ():
            sys.stdout.write(f"   {hit}\n")
    sys.stdout.write("* against held-out items of the same corpus, about other images\n")


def main() -> None:
    """Print recall and false hits."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--show", action="store_true")
    show = parser.parse_args().show
    identifiers(show)
    if not REAL.exists():
        sys.stdout.write(f"{REAL} is not there: nothing measured on real text\n")
        return
    real_identifiers(show)
    contamination(show)


if __name__ == "__main__":
    main()
