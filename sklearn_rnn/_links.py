"""Links from the HTML representation of an estimator to its page of the reference."""

from __future__ import annotations

from functools import cache
from importlib.metadata import PackageNotFoundError, metadata

from sklearn.base import BaseEstimator

PACKAGE = "sklearn_rnn"


@cache
def site() -> str:
    """Address of the documentation, from the metadata of the package; empty if it has none."""
    try:
        urls = metadata(PACKAGE).get_all("Project-URL") or []
    except PackageNotFoundError:  # the package is not installed, only imported
        return ""
    named = dict(url.split(", ", 1) for url in urls)
    return named.get("Documentation", "").rstrip("/")


class LinkedEstimator(BaseEstimator):
    """Base of all that has parameters: in a notebook, it links to its page of the reference."""

    _doc_link_module = PACKAGE
    _folder = "reference"  # of the page in the site

    @property
    def _doc_link_template(self) -> str:
        return f"{site()}/{{folder}}/{{name}}.html" if site() else ""

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        module = type(self).__module__.split(".")[1]
        name = type(self).__name__
        return {"folder": self._folder, "name": name if module == "estimators" else f"{module}.{name}"}
