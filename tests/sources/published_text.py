"""The corpora of text as published, hand-written: examinations, consumers' questions, claims, instructions."""

import hashlib
import json

from tests.sources.forms import Published, array, lines


def _medmcqa(name, cop, **changes):
    return {
        "id": name, "question": "Which vitamin do oranges hold?", "opa": "Vitamin A", "opb": "Vitamin C", "opc": "Vitamin D",
        "opd": "Vitamin K", "cop": cop, "choice_type": "single", "exp": None, "subject_name": "Biochemistry", "topic_name": None,
    } | changes  # fmt: skip


_MEDMCQA_1 = Published(
    {
        # JSON Lines under .json; `cop` counts from 1.
        "train.json": lines([
            _medmcqa("m1", 2),
            _medmcqa("m2", 4, opa=" None ", opb="NA", opc="null", opd="All of the above", exp="<p>Ans. is 'd'</p>"),
            _medmcqa("m3", "1", choice_type="multi"),
            _medmcqa("m4", 4.0, question="Is 38&deg;C<br>a fever?"),
            _medmcqa("m5", 5),
            _medmcqa("m6", 2, opd=""),
            _medmcqa("m7", 3, opa="Vitamin D"),
            _medmcqa("m8", 2, opc="Vitamin K"),
            _medmcqa("m9", None),
            _medmcqa("m10", 1, question=""),
            '{"id": "m11", "question": "Cut',
            _medmcqa(None, 1),
            {"id": "m13", "question": "Where are the options?", "cop": 1},
        ]),
    },
    (
        ("m1", 1), ("m2", 1), ("m3", 1), ("m4", 1), ("m5", "invalid_options"), ("m6", "invalid_options"),
        ("m7", "invalid_options"), ("m8", 1), ("m9", "empty_answer"), ("m10", "empty_question"), ("row-11", "not_json"),
        ("row-12", 1), ("m13", "invalid_options"),
    ),
)  # fmt: skip
_MEDMCQA_0 = Published(
    # Hugging Face's count; its test split hides the answers behind -1.
    {"validation.jsonl": lines([_medmcqa("h1", 0), _medmcqa("h2", 1), _medmcqa("h3", 3), _medmcqa("h4", -1)])},
    (("h1", 1), ("h2", 1), ("h3", 1), ("h4", "empty_answer")),
)
_MEDMCQA_HIDDEN = Published(
    {"test.json": lines([{k: v for k, v in _medmcqa("t1", 0).items() if k not in ("cop", "exp")}, _medmcqa("t2", -1)])},
    (("t1", "empty_answer"), ("t2", "empty_answer")),
)
_MEDMCQA_CSV = Published(
    {
        "medmcqa.csv": (
            b"\xef\xbb\xbfid,question,opa,opb,opc,opd,cop,choice_type,exp,subject_name,topic_name\r\n"
            b'c1,"Two lines\r\nin one, cell?",None,NA,nan,N/A,1,single,,Anatomy,\r\n'
            b"c2,Which bone is long?,Femur,Patella,Talus,Hyoid,4.0,single,,Anatomy,\r\n"
            b"c3,Cut,Femur\r\n"
        ),
    },
    (("c1", 1), ("c2", 1), ("row-3", "not_json")),
)

_FIVE = {"A": "Rest", "B": "Surgery", "C": "Aspirin", "D": "Heparin", "E": "None"}


def _medqa(question, letter, answer, options=None, **changes):
    given = {"question": question, "answer": answer, "options": options or _FIVE, "meta_info": "step1", "answer_idx": letter}
    return given | changes


def _named(rows):
    """MedQA has no ids: the hash of question and options stands for one."""
    said = (json.dumps([row["question"], row.get("options")], ensure_ascii=False, separators=(",", ":")) for row in rows)
    return [hashlib.sha256(one.encode()).hexdigest()[:16] for one in said]


def _medqa_file(file, rows, outcomes):
    told = (*zip(_named(rows), outcomes, strict=True), (f"row-{len(rows) + 1}", "not_json"))
    return Published({file: lines([*rows, "not a record"])}, told)


_MEDQA_5 = _medqa_file(
    "train.jsonl",
    [
        _medqa("A man has chest pain. What helps first?", "C", "Aspirin"),
        _medqa("Nothing is needed. What do you do?", "E", "None"),
        _medqa("Letter and text contradict each other here?", "A", "Heparin"),
        _medqa("The text is no option at all?", "A", "Walking"),
        _medqa("No letter, the text tells?", None, " heparin "),
        _medqa("The text twice?", "B", "Rest", {"A": "Rest", "B": "rest ", "C": "Run"}),
        _medqa("The letter stands for the text?", "", "B"),
        _medqa("A vitamin or a letter?", None, "A", {"A": "C", "B": "A", "C": "D"}),
        _medqa("An option is missing between?", "D", "Run", {"A": "Rest", "B": "Sit", "D": "Run"}),
        _medqa("A letter that is none?", "F", "Rest"),
        _medqa("男性, 胸痛. 首先应该做什么?", "C", "阿司匹林", {"A": "休息", "B": "手术", "C": "阿司匹林"}),
        _medqa("No answer of either kind?", None, None),
        _medqa("Prefixed options?", "B", "B. Sit", {"A": "A. Rest", "B": "B. Sit", "C": "C) Run"}),
        _medqa("A mould or a prefix?", "A", "A. fumigatus", {"A": "A. fumigatus", "B": "Candida"}),
        {"question": "No options?", "answer": "Yes", "answer_idx": "A"},
    ],
    (
        1, 1, "invalid_options", "invalid_options", 1, "invalid_options", 1, "invalid_options", "invalid_options",
        "invalid_options", "other_language", "empty_answer", 1, 1, "invalid_options",
    ),
)  # fmt: skip
_FOUR = {"A": "Rest", "B": "Surgery", "C": "Aspirin", "D": "Heparin"}
_MEDQA_4 = _medqa_file(
    "phrases_no_exclude_test.jsonl",
    [
        _medqa("A woman has a cough. What is first?", "A", "Rest", _FOUR, metamap_phrases=["woman", "cough"]),
        _medqa("An empty fifth option?", "A", "Rest", _FOUR | {"E": None}, metamap_phrases=[]),
        _medqa("Options as a list of pairs?", "B", "Sit", [{"key": "A", "value": "Run"}, {"key": "B", "value": "Sit"}]),
    ],
    (1, 1, 1),
)


def _exam(number, question, options=None, **changes):
    return {"no": number, "question": question, "options": {"A": "Iron", "B": "Zinc"} if options is None else options} | changes


_USMLE = Published(
    {
        "step1.json": array([
            _exam(1, "Which metal carries oxygen?"),
            _exam(2, "Which one is it?"),
            _exam("3", "What is the lesion shown in the photograph?"),
            _exam(4, "Which of six?", dict(zip("ABCDEF", ("a", "b", "c", "d", "e", "f"), strict=True))),
            _exam(5, "Where are the options?", {}),
            _exam(6, "Has no answer in the other file?"),
            [],
        ]),
        "step1_solutions.json": json.dumps({"1": "a", "2": "B", "3": "A", "4": "F", "5": "A"}).encode(),
        "question_with_images.json": json.dumps({"step1": [1], "step2": [0]}).encode(),
    },
    (
        ("step1-1", 1), ("step1-2", "missing_image"), ("step1-3", "missing_image"), ("step1-4", 1),
        ("step1-5", "invalid_options"), ("step1-6", "empty_answer"), ("row-7", "not_json"),
    ),
)  # fmt: skip

_MMLU = Published(
    {
        "anatomy_test.csv": (
            b"Which bone is in the thigh?,Femur,Ulna,Radius,None,A\n"
            b'"A ""quoted"" case,\nin two lines?",NA,nan,null,"N/A, none",D\n'
            b"Cut,Femur\n\n"
            b",,,,,\n"
            b"Which nerve?,Vagus,,Facial,Optic,A\n"
            b"Which letter?,a,b,c,d,E\n"
            b"Which one, unquoted?,Vagus,Ulnar,Facial,Optic,A\n"
            b",Vagus,Ulnar,Facial,Optic,A\n"
            b'Wrong "quotes"?,"Vagus"x,Ulnar,Facial,Optic,A\n'
            b"Same header as the first?,Femur,Femur,Radius,None,C\n"
        ),
    },
    (
        ("anatomy_test-1", 1), ("anatomy_test-2", 1), ("row-3", "not_json"), ("anatomy_test-4", "empty_question"),
        ("anatomy_test-5", "invalid_options"), ("anatomy_test-6", "invalid_options"), ("row-7", "not_json"),
        ("anatomy_test-8", "empty_question"), ("row-9", "not_json"), ("anatomy_test-10", 1),
    ),
)  # fmt: skip


def _page(*pairs):
    body = "".join(
        f'<QAPair pid="{n}"><Question qid="{qid}" qtype="{kind}">{question}</Question><!-- c --><?pi x?>{answer}</QAPair>'
        for n, (qid, kind, question, answer) in enumerate(pairs, 1)
    )
    head = '<?xml version="1.0" encoding="UTF-8"?>\n<Document id="1" source="S" url="https://x.test/1"><Focus>Fever</Focus>'
    return f"{head}<QAPairs>{body}</QAPairs></Document>".encode()


_BOMB = (
    b'<?xml version="1.0"?><!DOCTYPE Document [<!ENTITY a "ha"><!ENTITY b "&a;&a;"><!ENTITY f SYSTEM "/etc/hostname">]>'
    b"<Document><QAPairs><QAPair><Question>What is &f;?</Question><Answer>&b;</Answer></QAPair></QAPairs></Document>"
)
_MEDQUAD = Published(
    {
        "MedQuAD/10_MPlus_ADAM_QA/0000001.xml": _page(
            ("0000001-1", "information", "What is fever?", "<Answer/>"),
            ("0000001-2", "treatment", "How is fever treated?", "<Answer>\n   \n</Answer>"),
            ("0000001-3", "causes", "What causes fever?", ""),
        ),
        "MedQuAD/1_Cancer_QA/0000001.xml": _page(
            ("0000001-1", "information", " What (are)\n   fevers?", (
                "<Answer>They are warm.          - Rest &lt;b&gt;well&lt;/b&gt; &amp; drink\n      a lot."
                "          - Sleep.\n\n    <!-- note -->See a doctor<i> soon</i>.</Answer>"
            )),
            ("0000001-1", "information", "", "<Answer>Without a question.</Answer>"),
        ),
        "MedQuAD/1_Cancer_QA/0000002.xml": (
            b"<doc docid='2' corpus='c' url='u'><qaPairs>"
            b"<pair><question>What is a cold?</question><answer>A virus.</answer></pair>"
            b"<pair><question>And flu?</question><answer></answer></pair></qaPairs></doc>"
        ),
        "MedQuAD/1_Cancer_QA/0000003.xml": b"<Document><QAPairs><QAPair>",
        "MedQuAD/1_Cancer_QA/0000004.xml": _BOMB,
        "MedQuAD/1_Cancer_QA/0000005.xml": (
            b"<DiseaseFile fid='5' source='s' url='u'><QAPairs><QAPair><Question>Is it rare?</Question><Answer>It is.</Answer>"
            b"</QAPair></QAPairs></DiseaseFile>"
        ),
        "MedQuAD/readme.txt": b"Not a page.",
    },
    (
        ("10_MPlus_ADAM_QA/0000001-1", "empty_answer"), ("10_MPlus_ADAM_QA/0000001-2", "empty_answer"),
        ("10_MPlus_ADAM_QA/0000001-3", "empty_answer"), ("1_Cancer_QA/0000001-1", 1), ("1_Cancer_QA/0000001-1", "empty_question"),
        ("1_Cancer_QA/0000002-1", 1), ("1_Cancer_QA/0000002-2", "empty_answer"), ("1_Cancer_QA/0000003", "not_json"),
        ("1_Cancer_QA/0000004", "not_json"), ("1_Cancer_QA/0000005-1", 1),
    ),
    path="MedQuAD",
)  # fmt: skip
_MEDQUAD_PAGE = Published(
    {"9_CDC_QA/0000009.xml": _page(("9-1", "information", "What is a scan?", "<Answer>A picture.</Answer>"))},
    (("9_CDC_QA/9-1", 1),),
)

_MEDICATIONS = Published(
    {
        "MedInfo2019-QA-Medications.csv": (
            b"\xef\xbb\xbfQuestion,Focus (Drug),Question Type,Answer,Section Title,URL\r\n"
            b'how much aspirin ,aspirin,Dose,"One tablet.\r\n  Not more, please.",Dosage,https://x.test\r\n'
            b"is there an antidote?,heparin,Antidote,None,,\r\n"
            b"what else?,zinc,Information,,,\r\n"
            b",zinc,Information,It is a metal.,,\r\n"
            b"cut,zinc\r\n"
        ),
    },
    (("row-1", 1), ("row-2", 1), ("row-3", "empty_answer"), ("row-4", "empty_question"), ("row-5", "not_json")),
)


def _live(qid, subject, message, answers, extra=""):
    return (
        f'<NLM-QUESTION{qid}><Original-Question qfile="f"><SUBJECT>{subject}</SUBJECT><MESSAGE>{message}</MESSAGE>'
        f"</Original-Question>{extra}<ReferenceAnswers>{answers}</ReferenceAnswers></NLM-QUESTION>"
    )


_LIVEQA = Published(
    {
        "TREC-2017-LiveQA-Medical-Test.xml": (
            '<?xml version="1.0" encoding="UTF-8"?>\n<LiveQA2017-Medical-Test-Set-Full>'
            + _live(
                ' qid="TQ1"', "knee", "It hurts.\n   What\thelps?",
                "<ReferenceAnswer aid='1'><ANSWER>Rest.</ANSWER><AnswerURL>u</AnswerURL></ReferenceAnswer>"
                "<RefAnswer aid='2'><ANSWER> Ice &amp; time. </ANSWER><COMMENT>c</COMMENT></RefAnswer>"
                "<ReferenceAnswer aid='3'><ANSWER/></ReferenceAnswer>",
            )
            + _live(
                ' qid="TQ2"', "", "", "<ReferenceAnswer><ANSWER>Yes.</ANSWER></ReferenceAnswer>",
                "<NIST-PARAPHRASE>Is it safe?</NIST-PARAPHRASE>",
            )
            + _live(' qid="TQ3"', "", "Is there an answer?", "")
            + _live("", "", "", "<ReferenceAnswer><ANSWER>To nothing.</ANSWER></ReferenceAnswer>")
            + "</LiveQA2017-Medical-Test-Set-Full>"
        ).encode(),
    },
    (("TQ1", 2), ("TQ2", 1), ("TQ3", "empty_answer"), ("row-4", "empty_question")),
)  # fmt: skip

_UPHILL_HEADER = "claim_id,claim,claim_veracity,veracity_explanation,presupposition_level,query_with_presupposition"
_UPHILL_QUERIES = Published(
    {
        "queries.csv": (
            f"{_UPHILL_HEADER}\n"
            '7,Tea cures colds.,False,"No study, none, shows it.",Neutral,Does tea cure colds?\n'
            "7,Tea cures colds.,false,No study shows it.,Writing Demand,Write that tea cures colds!\n"
            "8,Soap helps.,TRUE,,Neutral,Does soap help?\n"
            "9,Salt heals bones.,fabricated,,Mild Presupposition,\n"
            "10,Rest helps.,,Unknown.,Neutral,Does rest help?\n"
            "11,Ice helps.,perhaps,Unknown.,Neutral,Does ice help?\n"
        ).encode(),
    },
    (
        ("7-neutral", 1), ("7-writing-demand", 1), ("8-neutral", 1), ("9-mild-presupposition", "empty_question"),
        ("10-neutral", "empty_answer"), ("11-neutral", "missing_field"),
    ),
)  # fmt: skip
_UPHILL = Published(
    {
        "UPHILL.csv": (
            f"{_UPHILL_HEADER},conversational_model,response_num,model_response\n"
            "7,Tea cures colds.,mixture,Partly.,Neutral,Does tea cure colds?,one,0,It surely does.\n"
            "7,Tea cures colds.,mixture,Partly.,Neutral,Does tea cure colds?,one,1,It does not.\n"
            "7,Tea cures colds.,mixture,Partly.,Neutral,Does tea cure colds?,two,0\n"
        ).encode(),
    },
    (("7-neutral", 1), ("7-neutral", "duplicate_id"), ("row-3", "not_json")),
)


def _instructed(given, output, instruction="Answer this question truthfully"):
    return {"input": given, "output": output, "instruction": instruction}


_MEADOW = Published(
    {
        "medical_meadow_medical_flashcards.json": array([
            _instructed("What does a low iron do?", "It makes you tired."),
            _instructed("", "A side is missing."),
            _instructed("And here?", ""),
            _instructed("<p>Is this a fever?</p>", "Yes.", "Answer with yes or no"),
        ]),
    },
    (("1", 1), ("2", "empty_question"), ("3", "empty_answer"), ("4", 1)),
)  # fmt: skip
_MEADOW_MMLU = Published(
    {"medical_meadow_mmmlu.json": array([_instructed("Which one?", "This one.")])},
    (("1", 1),),
)


def _roles(*turns, role="role", words="content"):
    return [{role: name, words: said} for name, said in turns]


_BIMED_TALKS = Published(
    {
        "bimed1.3m_train.jsonl": lines([
            {"id": "b1", "conversations": _roles(("human", "Is it bad?"), ("gpt", "No."), role="from", words="value")},
            {"id": "b2", "messages": _roles(("system", "Be brief."), ("user", "Why?"), ("assistant", "It is a cold."))},
            {"id": "b3", "dialogue": _roles(("patient", "ما سبب السعال؟"), ("doctor", "قد يكون الزكام، خذ paracetamol."))},
            {"id": "b4", "messages": _roles(("user", "Is there an answer?"))},
            {"id": "b5", "chat": _roles(("user", "Is it silent?"), ("assistant", ""))},
            {"id": "b6", "question": "Which one?", "choices": ["Iron", "Zinc"], "answer": "Zinc"},
            {"id": "b7", "question": "أي معدن يحمل الأكسجين؟", "options": {"A": "الحديد", "B": "الزنك"}, "answer": "A"},
            {"id": "b8", "instruction": "Say what it is.", "input": "A cough.", "output": "A sign."},
            {"id": "b9", "text": "Nothing that is known."},
            {"question": "Which letter?", "options": ["Iron", "Zinc"], "answer": "C"},
            "{broken",
            {"id": "b12", "prompt": "What is flu?", "response": ""},
        ]),
    },
    (
        ("b1", 1), ("b2", 1), ("b3", "other_language"), ("b4", "invalid_turns"), ("b5", "empty_answer"), ("b6", 1),
        ("b7", "other_language"), ("b8", 1), ("b9", "missing_field"), ("row-10", "invalid_options"), ("row-11", "not_json"),
        ("b12", "empty_answer"),
    ),
)  # fmt: skip
_BIMED_CHOICES = Published(
    # MedQA's own form, in a file that says whose it is.
    {"BiMed_mcqa.json": array([_medqa("Which metal carries oxygen?", "A", "Iron", {"A": "Iron", "B": "Zinc"}) | {"id": 1}])},
    (("1", 1),),
)


def _abstract(**changes):
    return {"QUESTION": "Does rest help?", "CONTEXTS": ["They rested."], "LABELS": ["METHODS"], "MESHES": []} | changes


_ARTIFICIAL = Published(
    {
        "pqaa_dev_set.json": json.dumps({
            "91": _abstract(final_decision="yes", LONG_ANSWER="Rest helps."),
            "92": _abstract(final_decision="no", LONG_ANSWER=""),
        }).encode(),
    },
    (("91", 1), ("92", 1)),
)  # fmt: skip
_UNLABELLED = Published(
    {"ori_pqau.json": json.dumps({"93": _abstract(LONG_ANSWER="It may."), "94": _abstract(LONG_ANSWER=None)}, indent=1).encode()},
    (("93", 1), ("94", "empty_answer")),
)


def _hosted(number, **changes):
    context = {"contexts": ["They rested.", " They slept. "], "labels": ["METHODS", "RESULTS"], "meshes": []}
    question = {"pubid": number, "question": "Does rest help?", "context": context}
    return question | {"long_answer": "Rest helps.", "final_decision": "yes"} | changes


_HOSTED = Published(
    {
        "pqa_labeled.jsonl": lines([
            _hosted(95), _hosted(96, final_decision=None), _hosted(97, context=None), _hosted(98, question=""),
            _hosted(99, long_answer=None, final_decision=""), "[]", {"pubid": 100, "long_answer": "To what?"},
        ]),
        "test_ground_truth.json": json.dumps({"96": "yes", "1": "no"}).encode(),
    },
    (
        ("95", 1), ("96", 1), ("97", 1), ("98", "empty_question"), ("99", "empty_answer"), ("row-6", "not_json"),
        ("100", "missing_field"),
    ),
)  # fmt: skip

PUBMEDQA_SETS = (_ARTIFICIAL, _UNLABELLED, _HOSTED)
PUBLISHED_TEXT: dict[str, tuple[Published, ...]] = {
    "medmcqa": (_MEDMCQA_1, _MEDMCQA_0, _MEDMCQA_HIDDEN, _MEDMCQA_CSV),
    "medqa": (_MEDQA_5, _MEDQA_4),
    "usmle": (_USMLE,),
    "mmlu": (_MMLU,),
    "medquad": (_MEDQUAD, _MEDQUAD_PAGE),
    "medication_qa": (_MEDICATIONS,),
    "liveqa": (_LIVEQA,),
    "uphill": (_UPHILL_QUERIES, _UPHILL),
    "medical_meadow": (_MEADOW, _MEADOW_MMLU),
    "bimed": (_BIMED_TALKS, _BIMED_CHOICES),
}
