"""Pictures of the ablation that metrics/plots.py does not have: accuracy against cost, and a map of frames."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from edgeseld.core.atomic import atomic_file
from edgeseld.core.errors import BackendMissingError
from edgeseld.core.locate import MODEL_FILE
from edgeseld.core.recipe import ModelFile
from edgeseld.core.structs import read_toml
from edgeseld.nn.flow import Flow
from edgeseld.nn.weights import WEIGHTS_FILE, load_network
from edgeseld.train.batches import consecutive_places, load_batch
from edgeseld.train.feature_store import Progress, open_store
from edgeseld.train.losses import single_source

FRAMES_PER_CLASS = 100
PERPLEXITY = 30.0
Point = tuple[str, float, float]
Float64 = NDArray[np.float64]


def plot_cost(path: Path, points: Sequence[Point], x_label: str) -> None:
    """F20 over cost, a named point each; names of points of one cost stand in a column beside them."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(6.4, 4.4), layout="constrained")
    axes = figure.add_subplot()
    for cost in sorted({x for _, x, _ in points}):
        column = sorted(((y, name) for name, x, y in points if x == cost), reverse=True)
        axes.scatter([cost] * len(column), [y for y, _ in column], color="#0072B2", s=28)
        names = "\n".join(name if len(column) == 1 else f"{y:.3f} {name}" for y, name in column)
        axes.annotate(names, (cost, column[0][0]), xytext=(8, 4), textcoords="offset points", fontsize=8, va="top")
    axes.set_xlabel(x_label)
    axes.set_ylabel("F20, headline classes")
    axes.margins(x=0.2, y=0.1)
    axes.grid(color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    _save(figure, path)


def single_class_frames(run: Path, roots: Sequence[Path], progress: Progress) -> tuple[Float64, NDArray[np.int64]]:
    """Embeddings (frames, width) of label frames in which one event sounds alone, at most 100 a class, and classes."""
    spec = read_toml(run / MODEL_FILE, ModelFile)
    network = load_network(spec, run / WEIGHTS_FILE)
    rows, classes = [], []
    for root in roots:
        store = open_store(root, spec.signal, progress)
        places = consecutive_places(store)
        for place in progress(places, len(places), f"{spec.id} looks at {root.name}"):
            batch = load_batch([store], [place], len(spec.classes))
            with torch.no_grad():
                embedding = network.infer_all(network.frontend.standardise(batch.features), Flow()).embedding[0]
            lone = single_source(batch.target)[0, :, 0] * (batch.target[0, :, 0, 0] > 0)
            alone = (batch.target[0, :, :, 0].sum(dim=(1, 2)) == 1) & (lone.sum(dim=1) == 1)
            rows.append(embedding[alone].numpy())
            classes.append(lone[alone].argmax(dim=1).numpy())
    return _at_most(FRAMES_PER_CLASS, np.concatenate(rows).astype(np.float64), np.concatenate(classes))


def _at_most(count: int, rows: Float64, classes: NDArray[np.int64]) -> tuple[Float64, NDArray[np.int64]]:
    generator = np.random.default_rng(0)
    kept = [generator.permutation(np.flatnonzero(classes == name))[:count] for name in np.unique(classes)]
    chosen = np.concatenate(kept) if kept else np.zeros(0, np.int64)
    return rows[chosen], classes[chosen]


def plot_frames(path: Path, runs: Mapping[str, tuple[Float64, NDArray[np.int64]]], names: Sequence[str]) -> None:
    """t-SNE of frames that hold a single class (HDA-SELD, Fig. 8), one map per run."""
    try:
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise BackendMissingError("t-SNE", "reference") from error
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    figure = Figure(figsize=(5.2 * len(runs), 5.4), layout="constrained")
    for axes, (title, (rows, classes)) in zip(
        figure.subplots(1, len(runs), squeeze=False)[0], runs.items(), strict=True
    ):
        perplexity = min(PERPLEXITY, max(1.0, (len(rows) - 1) / 3))
        places = TSNE(perplexity=perplexity, random_state=0, init="pca").fit_transform(rows)
        for number in np.unique(classes):
            chosen = classes == number
            colour = colormaps["tab20"](number % 20)
            axes.scatter(*places[chosen].T, s=6, color=colour, label=names[number].replace("_", " "))
        axes.set_title(title, fontsize="medium")
        axes.set_xticks([])
        axes.set_yticks([])
    handles, labels = figure.axes[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False, fontsize="small", markerscale=3)
    _save(figure, path)


def _save(figure: object, path: Path) -> None:
    with atomic_file(path) as temporary:
        figure.savefig(temporary, format="png", dpi=150, metadata={"Software": None})  # type: ignore[attr-defined]
