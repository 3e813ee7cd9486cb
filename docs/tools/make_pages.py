"""Pages that are made from the package: the API reference, and a page for each objective."""

import csv
import importlib
import inspect
import pkgutil
import statistics
from pathlib import Path

import sklearn_rnn
from sklearn_rnn.objectives import Objective, SemiSupervisedObjective, UnsupervisedObjective, objective_names

FIRST = ("", "objectives", "perturbations", "preprocessing", "model_selection", "text", "datasets", "inspection")
LAST = ("estimators", "tasks", "modules", "sequences", "training")  # for those who extend the package
TASKS = {"cricketx": "0.1", "two_patterns": "12", "japanese_vowels": "0.1"}


def modules():
    """Public modules of the package by their full name; those that users need first."""
    found = {info.name for info in pkgutil.iter_modules(sklearn_rnn.__path__) if not info.name.startswith("_")}
    found = {"", *(name for name in found if hasattr(importlib.import_module(f"sklearn_rnn.{name}"), "__all__"))}
    names = [name for name in FIRST if name in found] + sorted(found - {*FIRST, *LAST})
    names += [name for name in LAST if name in found]
    return {name: importlib.import_module(f"sklearn_rnn.{name}" if name else "sklearn_rnn") for name in names}


def places():
    """Page of each public name, (module, name) -> path; an object that two modules have is on the first one's page."""
    pages, seen = {}, {}
    for short, module in modules().items():
        for name in module.__all__:
            thing = getattr(module, name)
            key = id(thing) if callable(thing) else (short, name)
            folder = "objectives" if is_objective(thing) else "reference"
            seen.setdefault(key, f"{folder}/{'.'.join(filter(None, [short, name]))}")
            pages[short, name] = seen[key]
    return pages


def is_objective(thing):
    """Whether something is an objective to choose, and no base of such."""
    bases = (Objective, SemiSupervisedObjective, UnsupervisedObjective)
    return isinstance(thing, type) and issubclass(thing, Objective) and thing not in bases


def page(short, name):
    """Return the lines of the page of a public name."""
    full = ".".join(filter(None, ["sklearn_rnn", short, name]))
    module = full.rpartition(".")[0]
    thing = getattr(importlib.import_module(module), name)
    head = [name, "=" * len(name), "", f".. currentmodule:: {module}", ""]
    if isinstance(thing, type):
        hooks = is_objective(thing)  # what training calls; the pages of the bases have them
        methods = [] if hooks else [f"   .. automethod:: {method}" for method in own_methods(thing)]
        return [*head, f".. autoclass:: {name}", "", *methods, *inherited(thing), *examples(name)]
    kind = "autofunction" if callable(thing) else "autodata"
    return [*head, f".. {kind}:: {name}", *(["   :no-value:", ""] if kind == "autodata" else [])]


def own_methods(cls):
    """Public methods of a class that this package defines, with a docstring."""
    for name, method in inspect.getmembers(cls, callable):
        if not name.startswith("_") and getattr(method, "__module__", "").startswith("sklearn_rnn") and method.__doc__:
            yield name


def inherited(cls):
    """Return a sentence on the methods from scikit-learn."""
    names = sorted(
        name
        for name, method in inspect.getmembers(cls, callable)
        if not name.startswith("_") and getattr(method, "__module__", "").startswith("sklearn.")
    )
    if not names:
        return []
    listed = ", ".join(f"``{name}``" for name in names)
    return ["", f"   Methods from scikit-learn: {listed}.", ""]


def examples(name):
    """Return the lines that show the gallery's examples with a class; the gallery leaves inner modules out."""
    return ["", f".. minigallery:: sklearn_rnn.{name}", "   :add-heading: Examples in the gallery", ""]


def first_sentence(thing):
    """First line of a docstring."""
    doc = inspect.getdoc(thing) if callable(thing) else None
    if thing == sklearn_rnn.__version__:
        return "Version of the package."
    return doc.partition("\n")[0].replace("|", r"\|") if doc else ""


def reference(pages):
    """Return the lines of the index of the API reference."""
    lines = ["API reference", "=============", "", "Every public name, module by module.", ""]
    for short, module in modules().items():
        full = module.__name__
        lines += ["", full, "-" * len(full), "", (module.__doc__ or "").partition("\n")[0], ""]
        lines += [".. list-table::", "   :widths: 40 60", "   :class: names", ""]
        for name in sorted(module.__all__, key=str.lower):
            text = first_sentence(getattr(module, name))
            lines += [f"   * - :doc:`{name} </{pages[short, name]}>`", f"     - {text}"]
    for short, module in modules().items():
        own = [f"{name} <{'.'.join(filter(None, [short, name]))}>" for name in sorted(module.__all__, key=str.lower)]
        own = [f"   {line}" for line in own if f"reference/{line.partition('<')[2][:-1]}" in pages.values()]
        lines += ["", ".. toctree::", "   :hidden:", f"   :caption: {module.__name__}", "", *own] if own else []
    return lines


def measured(docs):
    """Gains over the labels alone by set, and the time as a multiple of theirs, of each objective with runs."""
    with (docs / "quality.csv").open(encoding="utf8") as file:
        runs = {(r["task"], r["labels"], r["method"], r["seed"]): r for r in csv.DictReader(file)}
    gains, times = {}, {}
    for (task, labels, method, seed), run in runs.items():
        alone = runs.get((task, labels, "supervised", seed))
        if TASKS.get(task) == labels and alone:
            gain = 100 * (float(run["accuracy"]) - float(alone["accuracy"]))
            gains.setdefault(method, {}).setdefault(task, []).append(gain)
            times.setdefault(method, []).append(float(run["seconds"]) / float(alone["seconds"]))
    return (
        {method: {task: statistics.mean(values) for task, values in by.items()} for method, by in gains.items()},
        {method: statistics.median(values) for method, values in times.items()},
    )


def pretexts(pages, docs):
    """Return the lines of the table of objectives that need no labels: what pretraining with each gains."""
    with (docs / "pretraining.csv").open(encoding="utf8") as file:
        rows = [run for run in csv.DictReader(file) if run["objective"] == "supervised"]
    runs = {(run["task"], run["pretraining"], run["seed"]): 100 * float(run["accuracy"]) for run in rows}
    tasks = {"cricketx": "Gestures", "har": "Activities", "fsdd": "Digits"}
    lines = [
        "",
        "Pretraining",
        "-----------",
        "",
        "Points of accuracy over no pretraining, with a tenth of the labels, five seeds "
        "(:doc:`details </pretraining>`).",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "",
        "   * - Objective",
        *(f"     - {title}" for title in tasks.values()),
    ]
    for name in sorted({key[1] for key in runs} - {"none"}):
        cls = sklearn_rnn.objectives.from_name(name).__class__
        lines += [f"   * - :doc:`{cls.__name__} </{pages['objectives', cls.__name__]}>`"]
        for task in tasks:
            gains = [runs[key] - runs[task, "none", key[2]] for key in runs if key[:2] == (task, name)]
            lines += [f"     - {statistics.mean(gains):+.1f}"]
    return lines


def serves(name):
    """Which questions an objective serves, in words."""
    words = {
        "classification": "classes",
        "tagging": "steps",
        "regression": "numbers",
        "transcription": "transcripts",
        "representation": "no labels",
    }
    return ", ".join(word for task, word in words.items() if name in objective_names(task))


def objectives(pages, docs):
    """Return the lines of the table of objectives."""
    gains, times = measured(docs)
    import sklearn_rnn.objectives as module

    lines = [
        "Objectives",
        "==========",
        "",
        "An objective is what a net is trained for. Each has a page, made from its docstring. "
        ":doc:`Few labels </few_labels>` says how to choose one.",
        "",
        "The gains are points of accuracy over the labels alone, with 46, 12 and 27 labels: means of three to five "
        "seeds. Their deviations (up to 12 points) are on the page on :doc:`quality </quality>`. Gestures are "
        "cricketx, patterns two_patterns, vowels japanese_vowels. The time is that of a run as a multiple of one with "
        "the labels alone, the median over these runs. The machine had other work, so the time only says which "
        "objectives are slow.",
        "",
        ".. list-table::",
        "   :header-rows: 1",
        "   :class: names",
        "",
        "   * - Objective",
        "     - Name",
        "     - For",
        "     - Gestures",
        "     - Patterns",
        "     - Vowels",
        "     - Time",
    ]
    tasks = ("classification", "tagging", "transcription", "representation")
    known = sorted({name for task in tasks for name in objective_names(task)})
    for name in known:
        cls = module.from_name(name).__class__
        gained = [gains.get(name, {}).get(task) for task in TASKS]
        cells = ["" if gain is None else f"{gain:+.1f}" for gain in gained]
        time = f"{times[name]:.1f}" if name in times else ""
        lines += [f"   * - :doc:`{cls.__name__} </{pages['objectives', cls.__name__]}>`", f'     - ``"{name}"``']
        lines += [f"     - {serves(name)}", *(f"     - {cell}" for cell in (*cells, time))]
    lines += [
        *pretexts(pages, docs),
        "",
        "``a + b`` makes a :doc:`Sum </objectives/objectives.Sum>` of two objectives.",
        "",
    ]
    targets = sorted({target for target in pages.values() if target.startswith("objectives/")})
    lines += [".. toctree::", "   :hidden:", "", *(f"   {target.partition('/')[2]}" for target in targets)]
    return lines


def write(docs):
    """Write all pages; only what changed, so that Sphinx reads no page in vain."""
    pages, written = places(), {}
    for (short, name), target in pages.items():
        if target.partition("/")[2] == ".".join(filter(None, [short, name])):
            written[target] = page(short, name)
    written["reference/index"] = reference(pages)
    written["objectives/index"] = objectives(pages, docs)
    for target, lines in written.items():
        path = Path(docs) / f"{target}.rst"
        path.parent.mkdir(exist_ok=True)
        text = "\n".join([*lines, ""])
        if not path.exists() or path.read_text(encoding="utf8") != text:
            path.write_text(text, encoding="utf8")
