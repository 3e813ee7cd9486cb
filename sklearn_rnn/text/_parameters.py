"""Parameters of the vectorizer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from .._documented import parameter
from .._sklearn import COUNT, Interval, RealNotInt, StrOptions
from .._state import PicklableEstimator

CUTS: dict[str, Callable[[Sequence[str], int], Sequence[str]]] = {
    "head": lambda tokens, n: tokens[:n],
    "tail": lambda tokens, n: tokens[-n:],
    "middle": lambda tokens, n: tokens[max(0, (len(tokens) - n) // 2) :][:n],
}


@dataclass(repr=False, eq=False)
class VectorizerParameters(PicklableEstimator):
    """Base of the vectorizer: how documents are read, split into tokens and cut."""

    analyzer: Any = parameter(
        "word",
        [StrOptions({"word", "char", "subword"}), callable],
        '{"word", "char", "subword"} or callable',
        """
        Kind of tokens. `"subword"` needs the package `tokenizers`: byte-pair encoding that is trained on the documents
        of `fit`, or the user's `tokenizer`. A function gets the raw document and returns a list of tokens; pass `list`
        if the documents are lists of words.
        """,
        positional=True,
    )
    max_features: int | None = parameter(
        None,
        [*COUNT, None],
        "int",
        "Largest number of tokens in the vocabulary; the most frequent are used. None for all; for subwords, 8,000.",
    )
    min_df: int | float = parameter(
        2,
        [*COUNT, Interval(RealNotInt, 0, 1, closed="both")],
        "int or float",
        """
        Smallest number of documents (if float, fraction of documents) that must contain a token; only the tokens that
        `max_length` keeps count. Rarer tokens become unknown tokens, from which the net learns the vector of the
        unknown token, so 1 is seldom good.
        """,
    )
    max_length: int | None = parameter(
        None, [*COUNT, None], "int", "Largest number of tokens of a document, without the marks of begin and end."
    )
    keep: str = parameter(
        "head", [StrOptions(set(CUTS))], '{"head", "tail", "middle"}', "Part of a longer document that is kept."
    )
    begin_end: bool = parameter(
        False, ["boolean"], "bool", "Whether each sequence begins with ``<s>`` and ends with ``</s>``."
    )
    lowercase: bool = parameter(
        True, ["boolean"], "bool", "Whether to lowercase; not used with a given subword `tokenizer`."
    )
    strip_accents: Any = parameter(
        None,
        [StrOptions({"ascii", "unicode"}), callable, None],
        '{"ascii", "unicode"}, callable or None',
        "How to remove accents; not used with a given subword `tokenizer`.",
    )
    preprocessor: Callable[[str], str] | None = parameter(
        None, [callable, None], "callable", "Replaces `lowercase` and `strip_accents`."
    )
    tokenizer: Any = parameter(
        None,
        [object],
        "callable, tokenizers.Tokenizer, path or None",
        """
        For words, a function that replaces `token_pattern`. For subwords, a tokenizer (also a fast tokenizer of
        Hugging Face's transformers) or the path of its file.
        """,
    )
    token_pattern: str | None = parameter(r"(?u)\b\w\w+\b", [str, None], "str", "Regular expression of words.")
    stop_words: Any = parameter(
        None, [StrOptions({"english"}), list, None], '"english", list or None', "Words that are not used."
    )
    input: str = parameter(
        "content",
        [StrOptions({"content", "file", "filename"})],
        '{"content", "file", "filename"}',
        "Form of the documents.",
    )
    encoding: str = parameter("utf-8", [str], "str", "Encoding of documents that are bytes or files.")
    decode_error: str = parameter(
        "strict",
        [StrOptions({"strict", "ignore", "replace"})],
        '{"strict", "ignore", "replace"}',
        "What to do with bytes that are not in the encoding.",
    )
