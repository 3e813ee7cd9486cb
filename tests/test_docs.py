"""The code of the documentation runs."""

import re
from pathlib import Path

import matplotlib
import pytest

DOCS = Path(__file__).resolve().parent.parent / "docs"


@pytest.mark.parametrize("name", ["partial_labels.md"])
@pytest.mark.filterwarnings("ignore:The y.*SelfTraining|y contains no unlabeled samples")
def test_the_code_of_a_page_runs_as_one_script(name, monkeypatch):
    matplotlib.use("Agg")
    blocks = re.findall(r"```python\n(.*?)```", (DOCS / name).read_text(encoding="utf8"), flags=re.DOTALL)
    exec(compile("\n".join(blocks), name, "exec"), {"__name__": "__main__"})
