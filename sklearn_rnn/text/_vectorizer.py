"""From raw documents to sequences of token ids."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from itertools import repeat
from numbers import Integral
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.base import TransformerMixin
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.utils.validation import check_is_fitted

from .._documented import documented
from .._set_output import SequenceOutputMixin
from .._state import all_or_nothing
from ._flat import cut_sequences, document_frequency, each, listed, numbered
from ._parameters import CUTS, VectorizerParameters
from ._subword import DEFAULT_SIZE, read_tokenizer, train_tokenizer

UNKNOWN, BEGIN, END = "<unk>", "<s>", "</s>"
READING = ("input", "encoding", "decode_error", "strip_accents", "lowercase", "preprocessor")
WORDS = ("tokenizer", "token_pattern", "stop_words")


@documented
@dataclass(repr=False, eq=False)
class TokenSequenceVectorizer(
    SequenceOutputMixin,
    TransformerMixin,
    VectorizerParameters,
    auto_wrap_output_keys=None,  # type: ignore[call-arg]
):
    r"""Convert raw documents to sequences of token ids, which the estimators of this package accept as X.

    Documents are split into tokens as in scikit-learn's `CountVectorizer`, but the order of the tokens is kept. Id 0 is
    the unknown token. It stands for tokens that are too rare (below `min_df`, or not among the `max_features` most
    frequent) and for tokens that were not in `fit`; a document without tokens becomes one unknown token. The next ids
    are those of the marks of begin and end, if there are marks, and then those of the tokens, the most frequent first.
    No id is needed for padding, because the estimators know the lengths.

    Parameters
    ----------
    %(parameters)s

    Attributes
    ----------
    vocabulary_ : dict of str to int
        Ids of the tokens.
    tokenizer_ : tokenizers.Tokenizer
        The tokenizer; only with ``analyzer="subword"``.

    Raises
    ------
    ValueError
        If X is one string or not one-dimensional, a document is not a string, or no token is frequent enough.
    ImportError
        If ``analyzer="subword"`` and `tokenizers` is not installed.

    See Also
    --------
    sklearn.feature_extraction.text.CountVectorizer : Counts of tokens, without their order.

    Examples
    --------
    >>> from sklearn_rnn.text import TokenSequenceVectorizer
    >>> documents = ["the cat sat", "the dog sat", "a bird sang"]
    >>> vectorizer = TokenSequenceVectorizer().fit(documents)
    >>> vectorizer.vocabulary_
    {'<unk>': 0, 'sat': 1, 'the': 2}
    >>> vectorizer.transform(["the bird sat", ""])
    [array([2, 0, 1], dtype=int32), array([0], dtype=int32)]
    """

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.two_d_array = False
        return tags

    def fit(self, X: Iterable[Any], y: Any = None) -> TokenSequenceVectorizer:
        """Learn the vocabulary.

        Parameters
        ----------
        X : iterable of str
            Documents. An iterator is read once; all documents are held in memory only to train subwords.
        y : None
            Ignored.

        Returns
        -------
        self : TokenSequenceVectorizer
        """
        self._learn(X)
        return self

    def fit_transform(self, X: Iterable[Any], y: Any = None) -> list[NDArray[np.int32]]:
        """Learn the vocabulary and return the token ids of the documents, in one pass.

        Parameters
        ----------
        X : iterable of str
            Documents.
        y : None
            Ignored.

        Returns
        -------
        sequences : list of ndarray of shape (T_i,), int32
            Token ids, at least one for each document.
        """
        return self._finish(*self._learn(X))

    def transform(self, X: Iterable[Any]) -> list[NDArray[np.int32]]:
        """Return the token ids of the documents.

        Parameters
        ----------
        X : iterable of str
            Documents.

        Returns
        -------
        sequences : list of ndarray of shape (T_i,), int32
            Token ids, at least one for each document.
        """
        check_is_fitted(self, "vocabulary_")
        known, unknown = self.vocabulary_.get, repeat(self.vocabulary_[UNKNOWN])
        documents = self._cut(each(X, self.build_analyzer()))
        return self._finish(*numbered(documents, lambda tokens: map(known, tokens, unknown)))

    def inverse_transform(self, X: Iterable[Any]) -> list[NDArray]:
        """Convert ids to tokens.

        Parameters
        ----------
        X : iterable of array-like of shape (T_i,)
            Token ids; those outside the vocabulary are read as unknown.

        Returns
        -------
        tokens : list of ndarray of shape (T_i,)
            Tokens, one for each id.
        """
        names = self.get_feature_names_out()
        sequences = [_read_ids(ids, i) for i, ids in enumerate(X)]
        return [names[np.where(ids < len(names), ids, 0)] for ids in sequences]

    def to_documents(self, X: Iterable[Any]) -> list[str]:
        """Convert ids to text.

        Parameters
        ----------
        X : iterable of array-like of shape (T_i,)
            Token ids.

        Returns
        -------
        documents : list of str
            Words joined by spaces, or characters or subwords joined, without the marks of begin and end.
        """
        join = self._joiner()
        marks = (BEGIN, END) if self.begin_end else ()
        return [join([token for token in tokens if token not in marks]) for tokens in self.inverse_transform(X)]

    def get_feature_names_out(self, input_features: Any = None) -> NDArray:
        """Return the tokens in the order of their ids.

        Parameters
        ----------
        input_features : None
            Ignored.

        Returns
        -------
        tokens : ndarray of shape (n_tokens,), object
        """
        check_is_fitted(self, "vocabulary_")
        return np.array(list(self.vocabulary_), dtype=object)

    def build_analyzer(self) -> Callable[[Any], Iterable[str]]:
        """Return the function that splits a document into tokens; for subwords, the vectorizer must be fitted.

        Returns
        -------
        analyzer : callable
        """
        if self.analyzer != "subword":
            if not (self.tokenizer is None or callable(self.tokenizer)):
                raise TypeError(
                    f"With analyzer={self.analyzer!r}, tokenizer must be a function of a string or None, "
                    f"got {type(self.tokenizer).__name__}; set analyzer='subword' for a subword tokenizer."
                )
            functions = {
                name: partial(listed, getattr(self, name), name)
                for name in ("analyzer", "tokenizer")
                if callable(getattr(self, name))
            }
            return CountVectorizer(**self._given("analyzer", *READING, *WORDS) | functions).build_analyzer()
        check_is_fitted(self, "tokenizer_")
        clean, split = self._cleaner(), self._splitter()
        return lambda document: split(clean(document))

    def _given(self, *names: str) -> dict[str, Any]:
        return {name: getattr(self, name) for name in names}

    def _cleaner(self) -> Callable[[Any], str]:
        """Return the function that decodes a document for subwords, lowercases it and strips its accents."""
        reader = CountVectorizer(**self._given(*READING))
        if self.tokenizer is not None:
            reader.set_params(lowercase=False, strip_accents=None)
        decode, preprocess = reader.decode, reader.build_preprocessor()
        return lambda document: preprocess(decode(document))

    def _splitter(self) -> Callable[[str], list[str]]:
        encode = self.tokenizer_.encode
        return lambda document: encode(document, add_special_tokens=False).tokens

    def _joiner(self) -> Callable[[list[str]], str]:
        if self.analyzer == "subword" and self.tokenizer_.decoder is not None:
            return self.tokenizer_.decoder.decode
        return ("" if self.analyzer == "char" else " ").join

    @property
    def _specials(self) -> list[str]:
        return [UNKNOWN, BEGIN, END] if self.begin_end else [UNKNOWN]

    @all_or_nothing
    def _learn(self, X: Iterable[Any]) -> tuple[NDArray, NDArray]:
        """Set `vocabulary_`; return the ids of all documents in one array, and the position after each document."""
        self._validate_params()
        documents = self._learn_subwords(X) if self.analyzer == "subword" else each(X, self.build_analyzer())
        seen: defaultdict[str, int] = defaultdict()
        seen.default_factory = seen.__len__
        flat, ends = numbered(self._cut(documents), partial(map, seen.__getitem__))
        if not seen:
            raise ValueError("empty vocabulary; perhaps the documents only contain stop words")
        counts = np.bincount(flat, minlength=len(seen))
        counts[document_frequency(flat, ends, len(seen)) < self._least(len(ends))] = 0
        self.vocabulary_ = self._made_vocabulary(list(seen), counts)
        ids = np.array([self.vocabulary_.get(token, 0) for token in seen], dtype=np.int32)
        return ids[flat], ends

    def _least(self, n_documents: int) -> float:
        return self.min_df if isinstance(self.min_df, Integral) else self.min_df * n_documents

    def _made_vocabulary(self, tokens: list[str], counts: NDArray) -> dict[str, int]:
        """Number the tokens by descending frequency, and tokens of equal frequency in alphabetical order."""
        specials = self._specials
        known = [i for i in np.flatnonzero(counts) if tokens[i] not in specials]
        if not known:
            raise ValueError(f"After pruning, no tokens remain. Try a lower min_df than {self.min_df}.")
        known.sort(key=lambda i: (-counts[i], tokens[i]))
        return {token: i for i, token in enumerate(specials + [tokens[i] for i in known[: self.max_features]])}

    def _learn_subwords(self, X: Iterable[Any]) -> Iterable[list[str]]:
        """Set `tokenizer_`; return the subwords of each document."""
        if self.tokenizer is not None:
            self.tokenizer_ = read_tokenizer(self.tokenizer)
            return each(X, self.build_analyzer())
        documents = list(each(X, self._cleaner()))
        self.tokenizer_ = train_tokenizer(documents, self.max_features or DEFAULT_SIZE, UNKNOWN)
        return map(self._splitter(), documents)

    def _cut(self, documents: Iterable[Iterable[str]]) -> Iterable[Iterable[str]]:
        if self.max_length is None:
            return documents
        cut, n = CUTS[self.keep], self.max_length
        return (cut(list(tokens), n) for tokens in documents)

    def _finish(self, flat: NDArray, ends: NDArray) -> list[NDArray[np.int32]]:
        marks = (self.vocabulary_[BEGIN], self.vocabulary_[END]) if self.begin_end else None
        return cut_sequences(flat, ends, self.vocabulary_[UNKNOWN], marks)


def _read_ids(ids: Any, i: int) -> NDArray:
    """Return the token ids of X[i] as an array; numpy converts lists with integers of over 64 bits to floats."""
    array = np.asarray(ids) if len(ids) else np.zeros(0, np.int64)
    if array.dtype.kind in "fO" and all(isinstance(number, Integral) for number in ids):
        array = np.array([min(int(number), np.iinfo(np.int64).max) for number in ids])
    if array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise ValueError(f"Token ids must be integers of at least 0: X[{i}] has {array[:5]!r}.")
    return array
