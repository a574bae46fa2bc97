"""Audio through the graphs of a model: once, with Monte Carlo samples, with time shifts, or with both.

A causal model is heard frame by frame, so that a file and a stream of it give the same; others window by window.
"""

from collections.abc import Iterator, Sequence

from edgeseld.core.frames import label_frames
from edgeseld.core.prediction import Float32, Prediction, join_predictions
from edgeseld.runtime.aggregation import Counts, aggregate
from edgeseld.runtime.alignment import align
from edgeseld.runtime.feature_line import FeatureLine
from edgeseld.runtime.interpret import interpret
from edgeseld.runtime.passes import Graphs, MonteCarlo, Outputs
from edgeseld.runtime.samples import Samples, join_frames
from edgeseld.runtime.stepping import step_windows
from edgeseld.runtime.time_shifts import Shift, margin_frames, regrid, shifts
from edgeseld.runtime.windows import join_windows, window_count, window_pcm


def hear_once(graphs: Graphs, audio: Float32) -> Prediction:
    """The deterministic pass, before unification."""
    runs = list(_windows(graphs, audio))
    joined = {name: join_windows([run[name][0] for run in runs], audio.shape[1]) for name in runs[0]}
    return interpret(joined, graphs.interface, graphs.calibration)


def hear_samples(graphs: Graphs, audio: Float32, mc_samples: int, seed: int) -> Prediction:
    """Monte Carlo samples of every window, before unification; the trunk runs once per window."""
    monte_carlo = MonteCarlo(graphs, mc_samples, seed)
    parts = []
    for outputs in _windows(graphs, audio):
        drawn = align(monte_carlo.draw(outputs["embedding"]), graphs.decode(outputs))
        parts.append(aggregate(graphs.calibrate(drawn), graphs.interface.classes, Counts(mc_samples, 1)))
    return join_predictions(parts).frames_between(0, label_frames(audio.shape[1]))


def hear_shifts(graphs: Graphs, audio: Float32, time_shifts: int, mc_samples: int, seed: int) -> Prediction:
    """Time shifts, each with Monte Carlo samples if any are wanted, before unification.

    Only two windows of samples are held at a time: label frames are aggregated as soon as all shifts of them are heard.
    """
    interface, frames = graphs.interface, label_frames(audio.shape[1])
    plan = shifts(time_shifts, interface.signal)
    margin, window_frames = margin_frames(time_shifts), interface.signal.window_frames
    monte_carlo = MonteCarlo(graphs, mc_samples, seed) if mc_samples else None
    parts: list[Prediction] = []
    held: list[Samples] = []
    done = base = 0
    for index, shifted in enumerate(_shifted_windows(graphs, audio, plan)):
        ready = min((index + 1) * window_frames, frames)
        window = [s.frames(0, ready - index * window_frames) for s in _passes(graphs, plan, shifted, monte_carlo)]
        held = [join_frames(pair) for pair in zip(held, window, strict=True)] if held else window
        last = frames if ready == frames else ready - margin
        placed, weights = regrid(held[1:], plan, held[0], done - base, last - base, graphs.calibrate)
        parts.append(aggregate(placed, interface.classes, Counts(mc_samples, time_shifts), weights))
        held, base, done = window, index * window_frames, last
    return join_predictions(parts)


def _passes(
    graphs: Graphs, plan: Sequence[Shift], shifted: Sequence[Outputs], monte_carlo: MonteCarlo | None
) -> list[Samples]:
    """The deterministic unshifted pass, then the passes of all shifts."""
    plain = [graphs.decode(outputs) for outputs in shifted]
    unshifted = plain[[shift.number for shift in plan].index(0)]
    if monte_carlo is None:
        return [unshifted, *plain]
    return [unshifted, *(monte_carlo.draw(outputs["embedding"]) for outputs in shifted)]


def _windows(graphs: Graphs, audio: Float32) -> Iterator[Outputs]:
    """Outputs and embedding of each window, (1, window_frames, ...)."""
    if "stream" in graphs.interface.graphs:
        yield from step_windows(graphs, audio)
        return
    for index in range(window_count(audio.shape[1], graphs.interface.signal)):
        yield graphs.run("full", window_pcm(audio, index, graphs.interface.signal))


def _shifted_windows(graphs: Graphs, audio: Float32, plan: Sequence[Shift]) -> Iterator[Sequence[Outputs]]:
    """For each window the outputs of all shifts."""
    if "stream" in graphs.interface.graphs:
        yield from zip(*(step_windows(graphs, audio, shift.delay_samples) for shift in plan), strict=True)
        return
    for role in ("frontend", "encoder"):
        graphs.require(role, "time shifts")
    signal = graphs.interface.signal
    lines = _feature_lines(graphs, audio, plan)
    for index in range(window_count(audio.shape[1], signal)):
        outputs = []
        for shift in plan:
            whole_hops, rest_samples = shift.feature_delay(signal.hop_samples)
            start = index * signal.window_hops - whole_hops
            outputs.append(graphs.run("encoder", lines[rest_samples].frames(start, start + signal.window_hops)))
        yield outputs


def _feature_lines(graphs: Graphs, audio: Float32, plan: Sequence[Shift]) -> dict[int, FeatureLine]:
    """A frontend pass for each part of a hop that shifts leave over, from the first frame that any of them needs."""
    signal = graphs.interface.signal
    delays = [shift.feature_delay(signal.hop_samples) for shift in plan]
    return {
        rest: FeatureLine(graphs, audio, rest, first=-max(hops for hops, other in delays if other == rest))
        for rest in sorted({rest for _, rest in delays})
    }
