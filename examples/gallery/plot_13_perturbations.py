"""
See what augmentation does
==========================

Perturbations are random changes that leave the class alone. Training sees each sequence through them.
"""

# %%
import matplotlib.pyplot as plt
import torch

from sklearn_rnn.perturbations import Crop, Jitter, Light, MagnitudeWarp, Strong, TimeWarp

t = torch.linspace(0, 1, 80)
x = torch.cos(6 * t + 0.5) + 0.6 * torch.sin(24 * t) * (0.4 + t)
x = ((x - x.mean()) / x.std())[None, :, None]  # (1, 80, 1): sequences, steps, features

figure, axes = plt.subplots(2, 3, figsize=(9, 4), sharex=True, sharey=True, layout="constrained")
shown = (Light(), Strong(), Jitter(), MagnitudeWarp(0.4), TimeWarp(0.5), Crop(0.6))
for ax, perturbation in zip(axes.flat, shown, strict=True):
    ax.plot(x.flatten(), color="#bbbbbb", linewidth=3)
    for seed, style in enumerate(("-", "--")):
        changed = perturbation(x, None, torch.Generator().manual_seed(seed))
        ax.plot(changed.flatten(), style, linewidth=1.2)
    ax.set_title(repr(perturbation), fontsize=9)
figure.supxlabel("step")
