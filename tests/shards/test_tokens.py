"""Tokens are counted by the tokenizer that the release names; a file that is none is one clear error."""

import io

import pytest

from schemas.errors import InputError
from shards.redact import Takedown, redact, tombstones
from shards.release import load_manifest
from shards.tokens import WHITE_SPACE, tokenizer
from tests.shards.made import pictures, release, rows


@pytest.fixture
def letters(tmp_path):
    """A tokenizer.json that takes every letter as a token, and puts marks around a text."""
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers, processors

    made = Tokenizer(models.WordLevel({"[UNK]": 0, "[CLS]": 1}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Split(Regex("."), "isolated")
    made.post_processor = processors.TemplateProcessing(single="[CLS] $A", special_tokens=[("[CLS]", 1)])
    folder = tmp_path / "letters"
    folder.mkdir()
    made.save(str(folder / "tokenizer.json"))
    return folder


def test_a_release_counts_by_language_with_the_tokenizer_that_it_names(tmp_path, letters):
    store = pictures(tmp_path)
    plain = load_manifest(release(tmp_path, rows(store), "plain"))
    assert (plain.tokenizer, plain.tokens) == (WHITE_SPACE, plain.words)
    counted = load_manifest(release(tmp_path, rows(store), "counted", tokenizer=tokenizer(letters)))
    texts = [turn.text for row in rows(store) for turn in row.sample.turns if row.sample.language == "ar"]
    assert counted.tokens["ar"] == sum(map(len, texts)), "marks are no tokens of a text"
    assert counted.words == plain.words
    assert counted.tokenizer.startswith("letters/tokenizer.json sha256:")
    assert sum(entry.tokens for entry in counted.shards) == sum(counted.tokens.values())
    assert f"| ar | {counted.words['ar']} | {counted.tokens['ar']} |" in (tmp_path / "counted" / "DATASHEET.md").read_text(
        encoding="utf-8"
    )


def test_a_takedown_counts_by_the_same_one(tmp_path, letters):
    folder = release(tmp_path, rows(pictures(tmp_path)), "r-0.1.0", tokenizer=tokenizer(letters))
    out = tmp_path / "r-0.1.1"
    stones = tombstones(folder, out, "0.1.1", Takedown("asked", frozenset({"slake-train-8"}), frozenset()))
    with pytest.raises(InputError, match=r"counts its tokens by letters/tokenizer\.json sha256:\w+, not by white space"):
        redact(folder, out, "0.1.1", stones)
    assert not out.exists()
    made = redact(folder, out, "0.1.1", stones, letters)
    assert sum(made.tokens.values()) == sum(entry.tokens for entry in made.shards) < sum(load_manifest(folder).tokens.values())


def test_a_sentencepiece_model_counts_too(tmp_path):
    import sentencepiece

    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(["the liver is large", "الكبد كبير"] * 50), model_writer=model, vocab_size=22, minloglevel=2
    )
    path = tmp_path / "tiny.model"
    path.write_bytes(model.getvalue())
    assert tokenizer(path).count(["the liver", "الكبد"]) > 2


@pytest.mark.parametrize(("name", "content"), [("tokenizer.json", "{}"), ("tokenizer.json", "x"), ("a.model", "x")])
def test_a_file_that_is_no_tokenizer_is_told(tmp_path, name, content):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=r"release\.tokenizer: .* is no "):
        tokenizer(tmp_path / name)


def test_a_file_that_is_not_there_is_told(tmp_path):
    with pytest.raises(InputError, match="does not exist"):
        tokenizer(tmp_path)
