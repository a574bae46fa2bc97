"""Time shifts: the same sound heard k x 30 ms later or earlier, brought back to the label grid (EasySED)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from edgeseld.core.errors import ConfigError
from edgeseld.core.frames import LABEL_FRAME_SAMPLES, ceil_div
from edgeseld.core.prediction import Float32
from edgeseld.core.spec import SignalSpec
from edgeseld.runtime.alignment import align
from edgeseld.runtime.decode import SHORTEST
from edgeseld.runtime.samples import Samples

SHIFT_SAMPLES = 720


@dataclass(frozen=True, slots=True)
class Shift:
    """Audio delayed by `number` x 30 ms; negative numbers advance it."""

    number: int

    @property
    def delay_samples(self) -> int:
        """Delay of the audio."""
        return self.number * SHIFT_SAMPLES

    def feature_delay(self, hop_samples: int) -> tuple[int, int]:
        """The delay as whole feature frames and the samples, 0 .. hop - 1, that a frontend pass must add to them."""
        return divmod(self.delay_samples, hop_samples)

    def output_place(self) -> tuple[int, int]:
        """Where label frame 0 of the audio lies in the shifted output: frame, and samples past it (0 .. 2399)."""
        return divmod(self.delay_samples, LABEL_FRAME_SAMPLES)


def shifts(count: int, signal: SignalSpec) -> tuple[Shift, ...]:
    """K = `count` shifts from the longest delay to the earliest, k = (K - 1) / 2 .. -(K - 1) / 2.

    ConfigError unless K is odd and reaches less than half a window.
    """
    if count < 1 or count % 2 == 0:
        raise ConfigError(f"time_shifts must be odd, so that as many shifts lie before as after, got {count}")
    reach = (count - 1) // 2
    if 2 * margin_frames(count) > signal.window_frames:
        raise ConfigError(
            f"time_shifts must reach less than half a window of {signal.window_frames} label frames, got {count}"
        )
    return tuple(Shift(number) for number in range(reach, -reach - 1, -1))


def margin_frames(count: int) -> int:
    """Label frames on either side of a frame that the outputs of K = `count` shifts are drawn from."""
    return ceil_div((count - 1) // 2 * SHIFT_SAMPLES, LABEL_FRAME_SAMPLES)


def regrid(
    passes: Sequence[Samples],
    plan: Sequence[Shift],
    reference: Samples,
    first: int,
    last: int,
    calibrate: Callable[[Samples], Samples],
) -> tuple[Samples, Float32]:
    """Outputs of all shifts on label frames first .. last - 1, and which samples count where (samples, frames).

    Each of `passes`, one per shift, and `reference`, the deterministic unshifted pass, hold the same label frames. A
    shift counts in a frame whose neighbours in the shifted output are among them. Both neighbours are aligned to the
    reference and then calibrated, before activities and activity-weighted vectors are interpolated between them.
    """
    offsets = [shift.output_place() for shift in plan]
    neighbours = _neighbours(passes, [offset for offset, _ in offsets], first, last)
    aligned = calibrate(align(neighbours, reference.frames(first, last)))
    count = passes[0].activity.shape[1]
    shares = np.repeat([past / LABEL_FRAME_SAMPLES for _, past in offsets], count).astype(np.float32)
    held = reference.activity.shape[2]
    frames = np.arange(first, last)
    covered = [(frames >= -offset) & (frames < held - offset - (past > 0)) for offset, past in offsets]
    return _between(aligned, shares[:, np.newaxis, np.newaxis]), np.repeat(covered, count, axis=0).astype(np.float32)


def _neighbours(passes: Sequence[Samples], offsets: Sequence[int], first: int, last: int) -> Samples:
    """Of each pass the frames `offset` after first .. last - 1, then of each those one later; zero beyond its ends."""
    tracks, count, held, classes = passes[0].activity.shape
    axes = len(passes[0].weighted)
    activity = np.zeros((tracks, 2, len(passes), count, last - first, classes), np.float32)
    weighted = np.zeros((axes, *activity.shape), np.float32)
    for number, (samples, offset) in enumerate(zip(passes, offsets, strict=True)):
        for later in (0, 1):
            moved = first + offset + later
            start = min(max(moved, 0), held)
            stop = max(min(moved + last - first, held), start)
            place = slice(start - moved, stop - moved)
            activity[:, later, number, :, place] = samples.activity[:, :, start:stop]
            weighted[:, :, later, number, :, place] = samples.weighted[:, :, :, start:stop]
    shape = (tracks, 2 * len(passes) * count, last - first, classes)
    return Samples(activity.reshape(shape), weighted.reshape(axes, *shape))


def _between(neighbours: Samples, share: Float32) -> Samples:
    """Linear interpolation, `share` of the later half; vectors get the length of the new activity."""
    half = neighbours.activity.shape[1] // 2
    earlier, later = neighbours.activity[:, :half], neighbours.activity[:, half:]
    activity = earlier + share * (later - earlier)
    weighted, beyond = neighbours.weighted[:, :, :half], neighbours.weighted[:, :, half:]
    weighted = weighted + share * (beyond - weighted)
    vectors = weighted[:3]
    length = np.sqrt((vectors * vectors).sum(axis=0))
    vectors *= np.where(length > SHORTEST, activity / np.maximum(length, SHORTEST), np.float32(0.0))
    return Samples(activity, weighted)
