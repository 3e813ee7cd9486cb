"""The rooms of the package, and who imports whom, drawn from the imports.

python docs/tools/draw_house.py
"""

import ast
from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt

ROOT = Path(__file__).resolve().parents[2] / "sklearn_rnn"
TEXTS = {
    "estimators": "what a user sees",
    "training": "the loop, around skorch",
    "objectives": "one algorithm a file",
    "tasks": "what a net is asked",
    "modules": "the nets, in torch",
    "sequences": "X of any form, and batches",
    "perturbations": "random changes of sequences",
    "model_selection": "splits and scores",
    "preprocessing": "transformers",
    "inspection": "attributions",
    "plotting": "displays",
    "io": "files and ONNX",
    "datasets": "loaders, conversions",
    "text": "documents to ids",
}
COLUMNS = {  # where boxes lie, from 0 to 12: the core at the right
    "estimators": 7.2,
    "training": 5.9,
    "objectives": 5.9,
    "tasks": 8.6,
    "modules": 6.2,
    "sequences": 8.6,
    "perturbations": 11,
    "plotting": 2.4,
    "inspection": 3.6,
    "model_selection": 1.2,
    "datasets": 1,
    "text": 3.4,
    "preprocessing": 2.2,
    "io": 5.6,
}


def imported_rooms(room):
    """Rooms that the files of a room import, but for itself."""
    rooms = set()
    for path in room.rglob("*.py"):
        package = ["sklearn_rnn", *path.relative_to(ROOT).parent.parts]
        for node in ast.walk(ast.parse(path.read_text(encoding="utf8"))):
            if isinstance(node, ast.ImportFrom) and node.level:
                base = package[: len(package) - node.level + 1] + (node.module or "").split(".")
                names = [alias.name for alias in node.names] if base[1:] in ([], [""]) else [base[1]]
                rooms |= set(names)
    return rooms - {room.name}


def imports():
    """Public rooms, and the rooms that each imports."""
    rooms = {path.name: path for path in sorted(ROOT.iterdir()) if (path / "__init__.py").exists()}
    return {name: imported_rooms(path) & set(rooms) for name, path in rooms.items()}


def heights(arrows):
    """Height of each room: one above the highest room that it imports."""
    done = {}
    while len(done) < len(arrows):
        ready = [name for name in arrows if name not in done and arrows[name] <= set(done)]
        if not ready:
            raise ValueError(f"Rooms import each other in a circle: {set(arrows) - set(done)}.")
        done |= {name: 1 + max((done[other] for other in arrows[name]), default=-1) for name in ready}
    return done


def needed(arrows):
    """Arrows without those that follow from others."""

    def reached(name):
        return set().union(*({other} | reached(other) for other in arrows[name]), set())

    return {
        name: {other for other in others if not any(other in reached(between) for between in others)}
        for name, others in arrows.items()
    }


def draw(path):
    """Write the picture."""
    arrows = imports()
    height = heights(arrows)
    levels = [[name for name in arrows if height[name] == level] for level in range(max(height.values()) + 1)]
    place = {name: (COLUMNS.get(name, 4.4), level) for name, level in height.items()}
    figure, ax = plt.subplots(figsize=(11, 1.15 * len(levels)), layout="constrained")
    for name, others in needed(arrows).items():
        for other in others:
            ax.annotate(
                "",
                (place[other][0], place[other][1] + 0.25),
                (place[name][0], place[name][1] - 0.25),
                arrowprops={"arrowstyle": "->", "color": "#777777"},
            )
    for name, (x, y) in place.items():
        text = f"{name}\n{TEXTS[name]}" if name in TEXTS else name
        box = {"boxstyle": "round,pad=0.4", "facecolor": "white", "edgecolor": "#1f77b4"}
        ax.text(x, y, text, ha="center", va="center", fontsize=9, bbox=box)
    ax.set(xlim=(0, 12), ylim=(-0.5, len(levels) - 0.5))
    ax.set_axis_off()
    figure.savefig(path, dpi=110)
    plt.close(figure)


if __name__ == "__main__":
    draw(Path(__file__).resolve().parents[1] / "house.png")
