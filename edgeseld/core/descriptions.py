"""Followed sources in the units of the event schema."""

import math

import numpy as np
from numpy.typing import NDArray

from edgeseld.core.events import Detection, EventUncertainty, FrameUncertainty, SeldEvent, TrajectoryPoint
from edgeseld.core.frames import frame_onset_s
from edgeseld.core.source import Heard, Source

Float64 = NDArray[np.float64]


def describe_event(source: Source, class_name: str, passes: tuple[int, int], smooth_frames: int) -> SeldEvent:
    """The event of a source up to its last heard frame; `passes` counts Monte Carlo samples and time shifts."""
    return SeldEvent(
        class_name=class_name,
        track=source.number,
        onset_s=frame_onset_s(source.first_frame),
        offset_s=frame_onset_s(source.last.frame + 1),
        score=source.activity_sum / source.heard_frames,
        trajectory=_trajectory(list(source.points), smooth_frames),
        uncertainty=None if source.last.uncertainty is None else _mean_uncertainty(source, passes),
    )


def describe_detection(source: Source, class_name: str) -> Detection:
    """The source in the last frame in which it was heard."""
    last = source.last
    azimuth_deg, elevation_deg = _angles_deg(*last.direction)
    return Detection(
        time_s=frame_onset_s(last.frame),
        class_name=class_name,
        track=source.number,
        activity=last.activity,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        distance_m=last.distance_m,
        uncertainty=None if last.uncertainty is None else _frame_uncertainty(last.uncertainty),
    )


def _trajectory(points: list[Heard], smooth_frames: int) -> tuple[TrajectoryPoint, ...]:
    """Directions and distances are means over the heard frames around each frame, weighted by activity."""
    frame = np.array([point.frame for point in points])
    activity = np.array([point.activity for point in points])
    weighted = [activity, *(activity * axis for axis in zip(*(point.direction for point in points), strict=True))]
    if points[0].distance_m is not None:
        weighted.append(activity * np.array([point.distance_m for point in points]))
    weight, x, y, z, *distance = (_moving_sum(frame, values, smooth_frames) for values in weighted)
    directions = zip(x.tolist(), y.tolist(), z.tolist(), strict=True)
    distances_m = (distance[0] / weight).tolist() if distance else [None] * len(points)
    return tuple(
        _point(point, *_angles_deg(*direction), distance_m)
        for point, direction, distance_m in zip(points, directions, distances_m, strict=True)
    )


def _point(
    heard: Heard, azimuth_deg: float | None, elevation_deg: float | None, distance_m: float | None
) -> TrajectoryPoint:
    return TrajectoryPoint(
        time_s=frame_onset_s(heard.frame),
        activity=heard.activity,
        azimuth_deg=azimuth_deg,
        elevation_deg=elevation_deg,
        distance_m=distance_m,
    )


def _moving_sum(frame: NDArray[np.int64], values: Float64, width: int) -> Float64:
    """Sum of the values (points,) of all points within (width - 1) / 2 frames of each point."""
    line = np.zeros(frame[-1] - frame[0] + 1)
    line[frame - frame[0]] = values
    half = width // 2
    sums: Float64 = np.convolve(line, np.ones(width))[half + frame - frame[0]]
    return sums


def _angles_deg(x: float, y: float, z: float) -> tuple[float | None, float | None]:
    """Azimuth and elevation as core/geometry.py has them, without arrays; None for a zero vector."""
    if not (x or y or z):
        return None, None
    return math.degrees(math.atan2(y, x)), math.degrees(math.atan2(z, math.hypot(x, y)))


def _mean_uncertainty(source: Source, passes: tuple[int, int]) -> EventUncertainty:
    """Means over the heard frames, the spread's over those that have one."""
    activity_std, entropy, mutual_information = (value / source.heard_frames for value in source.uncertainty_sums[:3])
    return EventUncertainty(
        activity_std=activity_std,
        entropy=entropy,
        mutual_information=mutual_information,
        direction_spread_deg=source.uncertainty_sums[3] / source.spread_frames if source.spread_frames else None,
        mc_samples=passes[0],
        time_shifts=passes[1],
    )


def _frame_uncertainty(values: tuple[float, ...]) -> FrameUncertainty:
    activity_std, entropy, mutual_information, spread_deg = values
    return FrameUncertainty(
        activity_std=activity_std,
        entropy=entropy,
        mutual_information=mutual_information,
        direction_spread_deg=spread_deg if spread_deg == spread_deg else None,
    )
