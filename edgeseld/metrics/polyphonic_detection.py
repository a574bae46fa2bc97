"""Detection scores over all thresholds, through sed_scores_eval (Ebbers, Serizel, Haeb-Umbach, ICASSP 2022).

The library is older than what it stands on, and is helped in two places: `_pkg_resources` and `_writable`.
"""

import importlib.util
import sys
import types
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.errors import BackendMissingError
from edgeseld.core.frames import LABEL_FRAMES_PER_S
from edgeseld.metrics.detection import Event

Float64 = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Parameters of the polyphonic sound detection score (Bilen et al., ICASSP 2020)."""

    detection_tolerance: float
    ground_truth_intersection: float
    cross_trigger_tolerance: float | None
    cross_trigger_cost: float
    instability_cost: float = 1.0
    most_false_positives_per_hour: float = 100.0


# DCASE 2021 to 2024 task 4: scenario 1 wants exact times, scenario 2 few confusions between classes.
SCENARIOS = {1: Scenario(0.7, 0.7, None, 0.0), 2: Scenario(0.1, 0.1, 0.3, 0.5)}


def psds(
    scores: Mapping[str, Float64],
    events: Mapping[str, Sequence[Event]],
    durations_s: Mapping[str, float],
    classes: Sequence[str],
    scenario: Scenario,
    frames_per_s: int = LABEL_FRAMES_PER_S,
) -> float:
    """Polyphonic sound detection score of scores (frames, classes) by file name; exact, over all thresholds."""
    library = _sed_scores_eval()
    value, *_ = library.intersection_based.psds(
        scores=_frames(library, scores, classes, frames_per_s),
        ground_truth=_lists(events),
        audio_durations=dict(durations_s),
        dtc_threshold=scenario.detection_tolerance,
        gtc_threshold=scenario.ground_truth_intersection,
        cttc_threshold=scenario.cross_trigger_tolerance,
        alpha_ct=scenario.cross_trigger_cost,
        alpha_st=scenario.instability_cost,
        max_efpr=scenario.most_false_positives_per_hour,
    )
    return float(value)


def best_event_f_scores(
    scores: Mapping[str, Float64],
    events: Mapping[str, Sequence[Event]],
    classes: Sequence[str],
    collar_s: float = 0.2,
    offset_share: float = 0.2,
    frames_per_s: int = LABEL_FRAMES_PER_S,
) -> dict[str, tuple[float, float]]:
    """Best event based F of each class over all thresholds, and its threshold, by class name."""
    library = _sed_scores_eval()
    f_score, _, _, threshold, _ = library.collar_based.best_fscore(
        scores=_frames(library, scores, classes, frames_per_s),
        ground_truth=_lists(events),
        onset_collar=collar_s,
        offset_collar=collar_s,
        offset_collar_rate=offset_share,
    )
    return {name: (float(f_score[name]), float(threshold[name])) for name in classes}


def _frames(library: Any, scores: Mapping[str, Float64], classes: Sequence[str], frames_per_s: int) -> dict[str, Any]:
    """Score tables of sed_scores_eval; a frame ends where the next one starts."""
    create = library.base_modules.scores.create_score_dataframe
    return {
        name: _writable(create(table, np.arange(len(table) + 1) / frames_per_s, list(classes)))
        for name, table in scores.items()
    }


def _writable(table: Any) -> Any:
    """The same table, giving copies of its arrays: pandas 3 gives read-only ones, which the C code refuses."""
    base = type(table)

    def to_numpy(self: Any, *arguments: Any, **options: Any) -> Any:
        return base.to_numpy(self, *arguments, **options).copy()

    kind = type("WritableTable", (base,), {"to_numpy": to_numpy, "_constructor": property(lambda self: kind)})
    return kind(table)


def _lists(events: Mapping[str, Sequence[Event]]) -> dict[str, list[Event]]:
    return {name: list(of_file) for name, of_file in events.items()}


def _sed_scores_eval() -> Any:
    try:
        with warnings.catch_warnings(), _pkg_resources():
            warnings.simplefilter("ignore")
            import sed_scores_eval
    except ImportError as error:
        raise BackendMissingError("this detection score", "metrics") from error
    return sed_scores_eval


@contextmanager
def _pkg_resources() -> Iterator[None]:
    """A stand-in while the library is imported: it brings in dcase_util, which imports pkg_resources without a need.

    setuptools 82 removed that module.
    """
    if importlib.util.find_spec("pkg_resources") is not None:
        yield
        return
    sys.modules["pkg_resources"] = types.ModuleType("pkg_resources")
    try:
        yield
    finally:
        del sys.modules["pkg_resources"]
