"""Subword tokenizers of Hugging Face's package `tokenizers`: trained on documents, or given by the user."""

from __future__ import annotations

import json
from os import PathLike
from pathlib import Path
from typing import Any

from .._extras import extra

SPACE = "▁"  # the mark of a space in Metaspace
DEFAULT_SIZE = 8000  # number of subwords by default


def train_tokenizer(documents: list[str], size: int, unknown: str) -> Any:
    """Train byte-pair encoding on documents. Spaces are part of the subwords, so that text can be decoded.

    References
    ----------
    Sennrich, Haddow and Birch (2016), "Neural machine translation of rare words with subword units", ACL.
    """
    extra("tokenizers", "text")
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE(unk_token=unknown))
    spaces = normalizers.Replace(Regex(r"\s+"), " "), normalizers.Strip(), normalizers.Replace(" ", SPACE)
    tokenizer.normalizer = normalizers.Sequence([*spaces, normalizers.Prepend(SPACE)])
    words = Regex(rf"{SPACE}?\w+|{SPACE}?[^\w{SPACE}]+")  # words and punctuation, each with the space before it
    tokenizer.pre_tokenizer = pre_tokenizers.Split(words, "isolated")
    tokenizer.decoder = decoders.Metaspace(SPACE)
    # The trainer allocates memory for `size` subwords; there cannot be more merges than characters.
    size = min(size, 1 + 2 * sum(len(document) + 1 for document in documents))
    trainer = trainers.BpeTrainer(vocab_size=size, min_frequency=2, special_tokens=[unknown], show_progress=False)
    tokenizer.train_from_iterator(documents, trainer)
    return tokenizer


def read_tokenizer(tokenizer: Any) -> Any:
    """Copy the user's tokenizer, or read its file; turn off truncation and padding."""
    Tokenizer = extra("tokenizers", "text").Tokenizer
    tokenizer = getattr(tokenizer, "backend_tokenizer", tokenizer)  # in transformers
    if not isinstance(tokenizer, Tokenizer | str | PathLike):
        raise TypeError(
            "With analyzer='subword', tokenizer must be a tokenizers.Tokenizer, the path of its file, a fast tokenizer "
            "of transformers, or None to train one on the documents; "
            f"got {type(tokenizer).__name__}. For a slow tokenizer, pass analyzer=tokenizer.tokenize."
        )
    name = "tokenizer" if isinstance(tokenizer, Tokenizer) else f"tokenizer={str(tokenizer)!r}"
    try:
        text = tokenizer.to_str() if isinstance(tokenizer, Tokenizer) else Path(tokenizer).read_text(encoding="utf-8")
        copy = Tokenizer.from_str(text)
    except OSError:
        raise
    except Exception as error:  # tokenizers raises plain Exceptions
        raise ValueError(f"{name} is not the file of a tokenizers.Tokenizer: {error}") from error
    _check_unknown(json.loads(text)["model"], name)
    copy.no_truncation()
    copy.no_padding()
    return copy


def _check_unknown(model: dict[str, Any], name: str) -> None:
    """Raise an error for a model without an unknown token, which would fail at the first unknown word."""
    kind = model["type"]
    lacks = kind in ("WordLevel", "WordPiece") and model["unk_token"] not in model["vocab"]
    if lacks or (kind == "Unigram" and model["unk_id"] is None and not model.get("byte_fallback")):
        unknown = f"{model['unk_token']!r} is not in its vocabulary" if lacks else "its unk_id is None"
        raise ValueError(f"{name} has no unknown token: {unknown}; it would fail at new words. Train it with one.")
