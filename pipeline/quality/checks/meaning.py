"""The small words that turn a finding around: negation, and codes of levels. Word lists: lexicon.toml."""

import re
from functools import lru_cache

from pipeline.quality.arabic import Folded, fold, word_pattern
from pipeline.quality.checks.words import arabic_words, bare_forms, english_words
from pipeline.quality.lexicon import lexicon
from schemas.base import Severity
from schemas.quality import Finding, Span

_CODE = re.compile(r"(?<![\w.])([TLCS]\d{1,2}(?:\s*[-–/]\s*[TLCS]?\d{1,2})?)(?![\w])")
_LATIN_CODE = re.compile(r"(?<![A-Za-z\d])([TLCS])\s?(\d{1,2})(?![A-Za-z\d])")
#: What denies, and what only may: "غير متجانس" is "heterogeneous", and "دون وصفة" "over the counter".
_DENIES = re.compile(r"(?<!\w)[وف]?(?:لا|لم|لن|ليس|ليست)(?= )")
_MAY_DENY = re.compile(r"(?<!\w)[وف]?(?:(?:ال|لل|بال)?غير|بدون|دون|بلا)(?= )")
#: Behind لا, what makes it deny nothing, or a limit: at least, at most, nothing but.
_NO_DENIAL = re.compile(r" (?:سيما|بد|باس|شك|حصر|الحصر|مفر|غني|محاله|[يت]?زال\w*|[يت](?:قل|زيد|تجاوز|تعد[يى])\w* (?:عن|علي|\d))")
_NOTHING_BUT = re.compile(r"(?<!\w)الا(?!\w)")
#: ما denies before a verb, at the head of its clause; elsewhere it asks, or is "what".
_MA_DENIES = re.compile(
    r"(?:^|[.،؛:!]\s*)(?:و|ف)?ما (?!هو|هي|هم|ان|اذا|بين|بعد|قبل|يلي|لم|زال|زل|عليك|علي|سبق|دام|يزال|تزال)\w{3,}"
)
#: "Neither … nor" is one negation.
_JOINED = frozenset({"neither", "nor"})
#: "No abnormality detected" is الفحص طبيعي.
_NOT_ABNORMAL = re.compile(r"\b(?:no|not|without)\b[^.,;]{0,40}\b(?:abnormal|patholog|anomal)")
_NORMAL = re.compile("طبيعي|سليم|سوي|اعتيادي")
_ASKS_WHAT = re.compile(r"\b(?:what|which|how|whatever)\b|\?")
#: Parts of the words of `inside`, one of which each has.
_INSIDE_SIGNS = (
    "unre", "uneven", "unab", "inab", "uncl", "unkn", "uncer", "unconf", "painless", "afeb", "asympt", "nonten", "non-", "nonob",
    "contraind", "insuf", "inadeq", "fail", "avoid", "refus", "untre", "undesc", "uncons", "imposs", "uninf", "unaff", "unvac",
    "unch", "rul", "exclu", "forbid", "prohib", "banned", "nonvis", "incor", "inval", "unlik", "unsaf", "unstab", "incomp",
    "nonsmok",
)  # fmt: skip


def negation(source: str, target: str, _kind: str) -> list[Finding]:
    """The source negates and the target does not; or the target states an absence that the source does not."""
    plain, folded = fold(source), fold(target)
    said = _said(plain.text)
    if said:
        if not _denies(plain.text, folded.text) and not (_NOT_ABNORMAL.search(plain.text) and _NORMAL.search(folded.text)):
            return [_finding("negation", f"the negation {said[0].group()!r} is lost", plain.span(*said[0].span()), None)]
        return _one_of_two(plain, said, folded.text)
    return _lost_inside(plain, folded.text) or _added(plain, folded)


def codes(source: str, target: str, _kind: str) -> list[Finding]:
    """Vertebral levels and sequences (T2, L4-L5, C3): another code in their place is an error."""
    wanted = {_plain(code) for match in _CODE.finditer(source) for code in _LATIN_CODE.findall(match.group())}
    if not wanted:
        return []
    found = {_plain(code) for code in _LATIN_CODE.findall(fold(target).text.upper())}
    if not found or wanted <= found:
        return []
    message = f"{', '.join(sorted(wanted - found))} became {', '.join(sorted(found - wanted)) or 'nothing'}"
    return [_finding("codes", message, None, None)]


def _added(plain: Folded, folded: Folded) -> list[Finding]:
    """The target denies, and no word of the source could be why.

    Of 2,957 right pairs two are taken for this, both paraphrases of TICO-19; of negations put in, 58 % are found.
    """
    denial = next((one for one in _DENIES.finditer(folded.text) if not _NO_DENIAL.match(folded.text, one.end())), None)
    if denial and not _reasons()[0].search(plain.text) and not _NOTHING_BUT.search(folded.text, denial.end()):
        return [_finding("negation", "denies what the source does not", None, folded.span(*denial.span()))]
    perhaps = _MAY_DENY.search(folded.text)
    if perhaps and not _reasons()[1].search(plain.text):
        return [_finding("negation", "denies what the source does not", None, folded.span(*perhaps.span()))]
    return []


def _one_of_two(plain: Folded, said: list[re.Match[str]], target: str) -> list[Finding]:
    """Two negations and more, and one word in the target: one human sentence of TICO-19 is so."""
    negations = [match for match in said if match.group() not in _JOINED]
    if len(negations) < 2 or _MA_DENIES.search(target):
        return []
    words = _negations()[2].findall(_unexplained(plain.text, target))
    if len(words) != 1:
        return []
    message = f"one of {len(negations)} negations is lost"
    return [_finding("negation", message, plain.span(*negations[-1].span()), None, severity="major")]


def _said(source: str) -> list[re.Match[str]]:
    """The negations of a folded source, without those that are none."""
    if "n't" not in source and "n’t" not in source and _first_words().isdisjoint(word.text for word in english_words(source)):
        return []
    english, exceptions, _ = _negations()
    return list(english.finditer(exceptions.sub(lambda match: " " * len(match.group()), source)))


def _denies(source: str, target: str) -> bool:
    """Something of the folded target denies, beyond what a word of the source explains."""
    if _negations()[2].search(_unexplained(source, target)):
        return True
    return bool(_MA_DENIES.search(target)) and not _ASKS_WHAT.search(source)


def _unexplained(source: str, target: str) -> str:
    """The target without the negative words that deny nothing, or that a word of the source accounts for."""
    if not _negations()[2].search(target):
        return ""
    target = _harmless().sub(" ", target)
    for word, negative in _explained():
        if word in source:
            target = negative.sub(" ", target)
    return target


def _lost_inside(plain: Folded, target: str) -> list[Finding]:
    """A word that denies inside (unable, avoid) came back as something that denies nothing."""
    if not any(sign in plain.text for sign in _INSIDE_SIGNS):
        return []
    for english, exact, stems in _inside():
        said = english.search(plain.text)
        if said is None:
            continue
        forms = (form for word in arabic_words(target) for form in bare_forms(word.text))
        if not _denies(plain.text, target) and not any(form in exact or form.startswith(stems) for form in forms):
            return [_finding("negation", f"what {said.group()!r} denies is not denied", plain.span(*said.span()), None)]
    return []


@lru_cache(maxsize=1)
def _first_words() -> frozenset[str]:
    """The beginnings of the English negations, to pass over most texts without a regular expression."""
    whole = {"deny", "denied", "denies", "denying", "absent", "absence", "lack", "lacks", "lacked", "lacking", "negative", "free"}
    return frozenset(whole | {word for word in lexicon()["negation"]["english"] if word.isalpha()})


@lru_cache(maxsize=1)
def _inside() -> tuple[tuple[re.Pattern[str], frozenset[str], tuple[str, ...]], ...]:
    rows = []
    for english, arabic in lexicon()["negation"]["inside"].items():
        stems = tuple(fold(word[:-1]).text for word in arabic if word.endswith("*"))
        exact = frozenset(fold(word).text for word in arabic if not word.endswith("*"))
        rows.append((re.compile(rf"\b(?:{english})\b"), exact, stems))
    return tuple(rows)


@lru_cache(maxsize=1)
def _explained() -> tuple[tuple[str, re.Pattern[str]], ...]:
    return tuple((word, word_pattern(arabic)) for word, arabic in lexicon()["negation"]["explained"].items())


@lru_cache(maxsize=1)
def _harmless() -> re.Pattern[str]:
    return re.compile(rf"(?<!\w)[وف]?(?:{'|'.join(lexicon()['negation']['arabic_not'])})(?!\w)")


@lru_cache(maxsize=1)
def _reasons() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """Words of a source for which a translator may write لا, and those for which غير or دون."""
    words = lexicon()["negation"]
    strong = _english_pattern([*words["english"], *words["reasons"]])
    return re.compile(strong), re.compile(f"{strong}|{words['negative_words']}")


@lru_cache(maxsize=1)
def _negations() -> tuple[re.Pattern[str], re.Pattern[str], re.Pattern[str]]:
    words = lexicon()["negation"]
    return (
        re.compile(_english_pattern(words["english"])),
        re.compile(rf"\b(?:{'|'.join(words['english_not'])})"),
        word_pattern(words["arabic"]),
    )


def _english_pattern(words: list[str]) -> str:
    """Any of the words, or "n't", which stands at the end of one."""
    whole = "|".join(word for word in words if word != "n't")
    return rf"\b(?:{whole})\b|n['’]t\b"


def _plain(code: tuple[str, str]) -> str:
    return f"{code[0]}{int(code[1])}"


def _finding(
    check: str, message: str, source_span: Span | None, target_span: Span | None, severity: Severity = "critical"
) -> Finding:
    return Finding(
        check=check,
        category="accuracy/mistranslation",
        severity=severity,
        message=message,
        source_span=source_span,
        target_span=target_span,
    )
