"""`edgeseld fallback`: a study of one data set, thresholds from another or the same, a report and the best policy."""

from collections.abc import Sequence
from pathlib import Path

from edgeseld.cloud.asking import Asking
from edgeseld.cloud.equal_share import equal_share
from edgeseld.cloud.fallback import windows
from edgeseld.cloud.policy import MEASURES, FallbackPolicy, Measure, doubt
from edgeseld.cloud.strategies import Bench, FallbackReport, compare_strategies, curves, fit_thresholds
from edgeseld.cloud.study import CONTEXT_FRAMES, Progress, study, study_window_frames
from edgeseld.data.layout import list_scenes
from edgeseld.runtime.model import Model
from edgeseld.signal.audio import read_audio


def compare_with_cloud(
    model: Model,
    asking: Asking,
    data: Path,
    fit: Path | None,
    progress: Progress,
    *,
    share: float,
    mc_samples: int,
    classes: tuple[int, ...] | None = None,
) -> tuple[FallbackReport, FallbackPolicy]:
    """All strategies at one share of windows, and the policy of the measure that hears best at it."""
    client = asking.client
    found = study(model, client, data, MEASURES, progress, mc_samples=mc_samples)
    if fit is None:
        doubts: dict[Measure, Sequence[float]] = {name: values.tolist() for name, values in found.doubts.items()}
    else:
        doubts = _doubts(model, fit, progress, mc_samples)
    thresholds = fit_thresholds(doubts, share)
    bench = Bench(found, client.deadline_s, classes)
    results = compare_strategies(bench, share, thresholds)
    report = FallbackReport(
        device=model.interface.id,
        cloud=client.model or client.first_model(),
        link=asking.link,
        link_means=asking.link_means,
        data=data.name,
        fitted_on=(fit or data).name,
        windows=found.window_count,
        window_s=bench.window_s,
        unanswered=len(found.troubles),
        thresholds=thresholds,
        results=results,
        share=share,
        equal_share=equal_share(found, share, classes),
        curves=curves(bench),
    )
    by_name = {result.strategy: result.F20 for result in results}
    best = max(MEASURES, key=lambda measure: by_name[measure])
    return report, FallbackPolicy(
        measure=best,
        threshold=thresholds[best],
        window_frames=found.window_frames,
        context_frames=CONTEXT_FRAMES,
    )


def _doubts(model: Model, root: Path, progress: Progress, mc_samples: int) -> dict[Measure, Sequence[float]]:
    """Doubts of all windows of a data set; nobody is asked."""
    doubts: dict[Measure, list[float]] = {measure: [] for measure in MEASURES}
    interface = model.interface
    scenes = list_scenes(root, interface.signal.channel_format)
    for scene in progress(scenes, len(scenes), f"{interface.id} hears {root.name}"):
        audio = read_audio(scene.audio, interface.signal.channel_format)
        prediction = model.predict(audio, mc_samples=mc_samples)
        for first, last in windows(prediction.frames, study_window_frames(model)):
            part = prediction.frames_between(first, last)
            for measure, values in doubts.items():
                values.append(doubt(part, measure))
    return dict(doubts)
