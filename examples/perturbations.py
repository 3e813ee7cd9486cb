"""One sequence (grey) under each perturbation, two draws each; writes ``docs/perturbations.png``."""

from __future__ import annotations

from pathlib import Path

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import torch

import sklearn_rnn.perturbations as p

OUTPUT = Path(__file__).parents[1] / "docs" / "perturbations.png"
COLORS = ("#1f77b4", "#d95f02")
SEED = 1
SHOWN = (
    p.Light(),
    p.Strong(),
    p.Jitter(),
    p.Scaling(0.3),
    p.Offset(0.5, 0),
    p.MagnitudeWarp(0.4),
    p.TimeMask(0.5, 2),
    p.TimeShift(0.3),
    p.TimeWarp(0.5),
    p.Crop(0.6),
    p.Trim(0.6),
    p.Permutation(3),
    p.StepDrop(),
    p.Swap(0.5),
    p.Replacement(),
    p.Compose([p.Crop(), p.Jitter()]),
)


def waves(n_steps: int = 80) -> torch.Tensor:
    """Sequence (1, T, 1) of two waves, brought to mean 0 and deviation 1."""
    t = torch.linspace(0, 1, n_steps)
    x = torch.cos(6 * t + 0.5) + 0.6 * torch.sin(24 * t) * (0.4 + t)
    return ((x - x.mean()) / x.std())[None, :, None]


def main() -> None:
    """Draw the picture."""
    x = waves()
    batch = torch.cat([x, x, -x.flip(1)])  # the last is there to replace from
    figure, panels = plt.subplots(4, 4, figsize=(12, 8), sharex=True, sharey=True, layout="constrained")
    for panel, perturbation in zip(panels.flat, SHOWN, strict=True):
        changed = perturbation(batch, None, torch.Generator().manual_seed(SEED))
        panel.plot(x.flatten(), color="#bbbbbb", linewidth=3)
        for row, color in zip(changed, COLORS, strict=False):
            panel.plot(row.flatten(), color=color, linewidth=1.2)
        panel.set_title(repr(perturbation).replace("perturbations=", ""), fontsize=8)
        panel.set_yticks([])
        panel.spines[["top", "right", "left"]].set_visible(False)
    figure.supxlabel("step", fontsize=9)
    figure.savefig(OUTPUT, dpi=80)
    print(f"Wrote {OUTPUT}")


if __name__ == "__main__":
    main()
