"""Subwords of Hugging Face `tokenizers`, imported when used: trained on documents, or the user's."""

from __future__ import annotations

from collections.abc import Iterable
from os import PathLike
from pathlib import Path
from typing import Any

from .._extras import extra

SPACE = "▁"  # as Metaspace shows it
DEFAULT_SIZE = 8000  # subwords, where the user does not say


def train_tokenizer(documents: Iterable[str], size: int, unknown: str) -> Any:
    """Train byte-pair encoding on documents; spaces are part of the subwords, so that text can be put together again.

    References
    ----------
    Sennrich, Haddow and Birch (2016), "Neural machine translation of rare words with subword units", ACL.
    """
    extra("tokenizers", "text")
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=unknown))
    spaces = normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(), normalizers.Replace(" ", SPACE)
    tokenizer.normalizer = normalizers.Sequence([*spaces, normalizers.Prepend(SPACE)])
    words = Regex(rf"{SPACE}?\w+|{SPACE}?[^\w{SPACE}]+")  # and punctuation, each with the space before it
    tokenizer.pre_tokenizer = pre_tokenizers.Split(words, "isolated")
    tokenizer.decoder = decoders.Metaspace(SPACE)
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, special_tokens=[unknown], show_progress=False)
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def read_tokenizer(tokenizer: Any) -> Any:
    """Copy the user's tokenizer, or read its file; it shall neither cut nor pad."""
    Tokenizer = extra("tokenizers", "text").Tokenizer
    if not isinstance(tokenizer, Tokenizer | str | PathLike):
        raise TypeError(
            "With analyzer='subword', tokenizer must be a tokenizers.Tokenizer, the path of its file, or None to train "
            f"one on the documents; got {type(tokenizer).__name__}."
        )
    given = tokenizer.to_str() if isinstance(tokenizer, Tokenizer) else Path(tokenizer).read_text(encoding="utf-8")
    try:
        copy = Tokenizer.from_str(given)
    except Exception as error:  # tokenizers raises no other kind
        raise ValueError(f"tokenizer={str(tokenizer)!r} is not the file of a tokenizers.Tokenizer: {error}") from error
    copy.no_truncation()
    copy.no_padding()
    return copy
