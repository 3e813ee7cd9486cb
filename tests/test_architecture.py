"""The house's plan: who may import whom, and what the estimators share."""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import sklearn_rnn

ROOT = Path(sklearn_rnn.__file__).parent
FILES = sorted(ROOT.rglob("*.py"))
OUTSIDE = {"text", "inspection", "datasets", "plotting", "model_selection", "preprocessing", "io"}
ARROWS = {
    "__init__": {"estimators"},
    "estimators": {
        "_documented",
        "_files",
        "_inputs",
        "_links",
        "_sklearn",
        "_state",
        "_warnings",
        "modules",
        "objectives",
        "perturbations",
        "sequences",
        "tasks",
        "training",
    },
    "training": {"_inputs", "_warnings", "modules", "objectives", "sequences"},
    "objectives": {"_documented", "_inputs", "_links", "_sklearn", "_warnings", "modules", "sequences"},
    "tasks": {"_sklearn", "_warnings", "modules", "sequences"},
    "sequences": {"_inputs", "_warnings"},
    "perturbations": {"_links", "_sklearn"},
    "modules": {"_inputs"},
    "_documented": set(),
    "_extras": set(),
    "_inputs": set(),
    "_files": {"_extras"},
    "_set_output": set(),
    "_links": set(),
    "_sklearn": set(),
    "_state": {"_links", "_warnings"},
    "_warnings": set(),
}


def room(path):
    """Name of a top-level file or folder of the package."""
    return path.relative_to(ROOT).with_suffix("").parts[0]


def imports(path):
    """Full names of the modules that a file imports, anywhere in it."""
    package = ["sklearn_rnn", *path.relative_to(ROOT).parent.parts]
    names = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*base, *([node.module] if node.module else [])])
            names |= (
                {f"{base}.{alias.name}" for alias in node.names}
                if base
                in (
                    "sklearn_rnn",
                    ".".join(package),
                )
                else {base}
            )
    return names


def outside(path):
    """Packages that a file imports, without the standard library."""
    return {name.split(".")[0] for name in imports(path)} - set(sys.stdlib_module_names) - {"sklearn_rnn"}


def inside(path):
    """Rooms of the package that a file imports, but for its own."""
    names = {name.split(".")[1] for name in imports(path) if name.startswith("sklearn_rnn.")}
    return names - {room(path), "__version__"}


def label(path):
    return str(path.relative_to(ROOT))


CORE = [path for path in FILES if room(path) in ARROWS]


@pytest.mark.parametrize("path", CORE, ids=label)
def test_files_import_only_along_the_arrows(path):
    assert inside(path) <= ARROWS[room(path)]


@pytest.mark.parametrize("path", CORE, ids=label)
def test_the_core_imports_none_of_what_is_around_it(path):
    assert not inside(path) & OUTSIDE


def test_every_file_has_its_place_in_the_plan():
    unknown = {room(path) for path in FILES} - set(ARROWS) - OUTSIDE
    assert not {name for name in unknown if name.startswith("_")}


def test_only_training_imports_skorch():
    assert {room(path) for path in FILES if "skorch" in outside(path)} == {"training"}


@pytest.mark.parametrize("path", sorted((ROOT / "modules").glob("*.py")), ids=label)
def test_modules_import_torch_only(path):
    assert outside(path) <= {"torch"}


@pytest.mark.parametrize("path", sorted((ROOT / "perturbations").glob("*.py")), ids=label)
def test_perturbations_import_torch_and_scikit_learn_only(path):
    assert outside(path) <= {"torch", "sklearn"}


@pytest.mark.parametrize("path", sorted((ROOT / "objectives").glob("_*.py")), ids=label)
def test_an_objective_imports_torch_only_and_what_objectives_share_scikit_learn(path):
    shared = path.name in ("_base.py", "_semi_supervised.py", "__init__.py")
    assert outside(path) <= ({"torch", "sklearn"} if shared else {"torch"})


def test_private_parts_of_scikit_learn_are_imported_in_one_file():
    private = {
        label(path) for path in FILES if any(name.startswith("sklearn.") and "._" in name for name in imports(path))
    }
    assert private <= {"_sklearn.py"}


def documented(cls):
    """Text of each parameter in a class's docstring."""
    section = inspect.cleandoc(cls.__doc__).split("Parameters\n----------\n")[1].split("\n\n")[0]
    entries = re.split(r"\n(?=\S)", section)
    return {entry.split(" : ")[0]: entry for entry in entries}


def defaults(cls):
    parameters = list(inspect.signature(cls).parameters.values())
    return {p.name: p.default for p in parameters}


PUBLIC = [cls for name in sklearn_rnn.__all__ if inspect.isclass(cls := getattr(sklearn_rnn, name))]


def in_order(cls):
    """Parameters of a class: those by position, its own, those of its bases, the nearest first."""
    signature = inspect.signature(cls).parameters
    by_position = [name for name, p in signature.items() if p.kind is not p.KEYWORD_ONLY]
    by_class = [name for base in cls.__mro__ for name in vars(base).get("__annotations__", {}) if name in signature]
    return list(dict.fromkeys([*by_position, *by_class, *signature]))


@pytest.mark.parametrize("cls", PUBLIC, ids=lambda cls: cls.__name__)
def test_each_of_at_most_34_parameters_is_documented_in_order_with_its_default_and_constrained(cls):
    described, default = documented(cls), defaults(cls)
    assert 0 < len(default) <= 34
    assert list(described) == in_order(cls)
    assert set(cls._parameter_constraints) == set(default)
    for name, value in default.items():
        shown = f'"{value}"' if isinstance(value, str) else f"{value}"
        first, *text = described[name].splitlines()
        assert first.endswith(f"default={shown}")
        assert text


WITHOUT_EXTRAS = """
import sys
import polars, skorch, sklearn.linear_model, sklearn.pipeline  # which import pandas where it is installed

for name in [name for name in sys.modules if name.split(".")[0] == "pandas"]:
    del sys.modules[name]


EXTRAS = {"aeon", "matplotlib", "onnx", "onnxruntime", "pandas", "safetensors", "sktime", "tokenizers", "tslearn"}


class Asked:
    def find_spec(self, name, path=None, target=None):
        assert name.split(".")[0] not in EXTRAS, name


sys.meta_path.insert(0, Asked())
sys.modules["sklearn.callback"] = None  # as in older versions of scikit-learn
import sklearn_rnn, sklearn_rnn.datasets, sklearn_rnn.inspection, sklearn_rnn.io, sklearn_rnn.plotting, sklearn_rnn.text
sys.modules["pandas"] = None

frame = polars.DataFrame({"id": ["b", "a", "b"], "x": [1.0, None, 3], "y": [1, None, 1]})
X, y = sklearn_rnn.datasets.from_long_frame(frame, sequence="id", label="y")
assert X[0].tolist() == [[1], [3]] and y.tolist() == [1, None]
classifier = sklearn_rnn.SemiSupervisedRNNClassifier(hidden_size=2, max_epochs=1)
assert not hasattr(classifier.fit([[0.0, 1], [1, 0], [1, 1]], [0, 1, -1]), "set_callbacks")
"""


def test_the_package_imports_no_extra_and_needs_neither_pandas_nor_the_callbacks_of_scikit_learn():
    done = subprocess.run([sys.executable, "-c", WITHOUT_EXTRAS], capture_output=True, text=True, cwd=ROOT.parent)
    assert done.returncode == 0, done.stderr
