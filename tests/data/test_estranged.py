"""Scenes of known sounds as from sources that nobody has heard."""

import numpy as np
import pytest

from edgeseld.core.errors import ConfigError
from edgeseld.data.estranged import at_speed, estranged, random_filter
from edgeseld.metrics.labels import Labels, labels_from_vectors


def labels(*frames: int) -> Labels:
    """One source ahead in these frames, with its frame's number as its class."""
    return labels_from_vectors(
        np.array(frames), np.array(frames), np.zeros(len(frames), np.int64), np.tile([1.0, 0.0, 0.0], (len(frames), 1))
    )


def test_labels_at_half_speed_last_twice_as_long_and_at_double_speed_every_other_stays() -> None:
    slow = at_speed(labels(0, 1, 4), 0.5, 10)
    assert slow.frame.tolist() == [0, 1, 2, 3, 8, 9]
    assert slow.class_id.tolist() == [0, 0, 1, 1, 4, 4]
    fast = at_speed(labels(0, 1, 2, 3, 4), 2.0, 10)
    assert (fast.frame.tolist(), fast.class_id.tolist()) == ([0, 1, 2], [0, 2, 4])


@pytest.mark.parametrize("speed", [0.7, 0.8, 1.0, 1.25, 1.4])
def test_every_frame_is_what_it_was_at_its_old_place(speed: float) -> None:
    frames = int(50 / speed)
    played = at_speed(labels(*range(50)), speed, frames)
    assert played.frame.tolist() == list(range(frames))
    assert played.class_id.tolist() == [int(np.floor(frame * speed)) for frame in range(frames)]


def test_a_tone_gets_the_speed_times_its_pitch_and_keeps_its_direction() -> None:
    time_s = np.arange(48_000) / 24_000
    tone = np.sin(2 * np.pi * 1000 * time_s)
    audio = np.stack([tone, 0.5 * tone, 0 * tone, -0.2 * tone]).astype(np.float32)
    strange, _ = estranged(audio, labels(0), 1.25, seed=3)
    assert strange.shape == (4, 38_400)
    inside = strange[:, 2_400:-2_400]
    spectrum = np.abs(np.fft.rfft(inside[0] * np.hanning(inside.shape[1])))
    assert spectrum.argmax() * 24_000 / inside.shape[1] == pytest.approx(1250, abs=1)
    np.testing.assert_allclose(inside[1], 0.5 * inside[0], atol=1e-6)
    np.testing.assert_allclose(inside[3], -0.2 * inside[0], atol=1e-6)


def test_filters_are_as_strong_as_they_say_and_differ_by_seed() -> None:
    corners_hz = np.linspace(0, 1, 12) * np.pi
    turns = np.exp(-1j * np.outer(corners_hz, np.arange(257)))
    gains_db = [20 * np.log10(np.abs(turns @ random_filter(seed))) for seed in range(200)]
    # The taps are few enough to round the corners off a little.
    assert np.std(gains_db) == pytest.approx(7.4, abs=0.4)
    assert not np.array_equal(random_filter(0), random_filter(1))
    np.testing.assert_array_equal(random_filter(1), random_filter(1))


@pytest.mark.parametrize("speed", [0.0, -1.0, float("nan")])
def test_a_speed_that_is_none_is_refused(speed: float) -> None:
    with pytest.raises(ConfigError, match="a speed is above 0"):
        estranged(np.zeros((4, 24_000), np.float32), labels(0), speed, 0)
