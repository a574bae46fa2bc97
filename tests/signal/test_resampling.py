"""The 48 kHz filter: its table, its response, exact streams; other rates."""

import json
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from edgeseld.core.errors import AudioFormatError
from edgeseld.signal.resampling import (
    HalvingState,
    finish_halving,
    halve_chunk,
    halve_rate,
    halving_coefficients,
    to_sample_rate,
)

GOLDEN = Path(__file__).parent.parent / "golden/features/halving.json"
Float32 = NDArray[np.float32]


def noise(channels: int, samples: int, seed: int = 0) -> Float32:
    return np.random.default_rng(seed).uniform(-1, 1, (channels, samples)).astype(np.float32)


def tone(frequency_hz: float, rate_hz: int, samples: int) -> Float32:
    return np.sin(2 * np.pi * frequency_hz / rate_hz * np.arange(samples)[None]).astype(np.float32)


def test_golden_table_and_chain() -> None:
    """The table that other languages copy; 16-bit input gives the same integers everywhere."""
    golden = json.loads(GOLDEN.read_text())
    coefficients = halving_coefficients()
    assert coefficients[127:].tolist() == golden["coefficients_from_centre"]
    assert coefficients[:128].tolist() == golden["coefficients_from_centre"][::-1]
    pcm = np.array(golden["pcm16_48khz"], np.int64)
    padded = np.pad(pcm, 127)
    sums = [int(padded[2 * m : 2 * m + 255] @ coefficients) for m in range(-(-pcm.size // 2))]
    assert sums == golden["sums_24khz"]
    halved = halve_rate((pcm[None] / 32_768).astype(np.float32))
    assert halved[0].tolist() == [float(np.float32(value / 2**35)) for value in sums]


def test_taps_are_symmetric_and_sum_to_their_scale() -> None:
    coefficients = halving_coefficients()
    assert coefficients.shape == (255,)
    assert coefficients.sum() == 2**20
    assert (coefficients == coefficients[::-1]).all()


def test_response() -> None:
    """Flat within 0.001 dB to 10.8 kHz, -6 dB at 11.4 kHz, 91 dB down from 12 kHz on."""
    gain_db = 20 * np.log10(np.abs(np.fft.rfft(halving_coefficients() / 2**20, 48_000)) + 1e-9)
    assert np.abs(gain_db[:10_801]).max() < 1e-3
    assert gain_db[11_400] == pytest.approx(-6.02, abs=0.05)
    assert gain_db[12_000:].max() < -91


def test_output_is_aligned_with_the_input() -> None:
    halved = halve_rate(tone(1_000, 48_000, 4_800))
    expected = tone(1_000, 24_000, 2_400)
    assert halved[:, 100:-100] == pytest.approx(expected[:, 100:-100], abs=2e-5)


def test_silence_and_full_scale_steps() -> None:
    assert not halve_rate(np.zeros((1, 1_000), np.float32)).any()
    assert halve_rate(np.ones((1, 1_000), np.float32))[0, 200] == 1.0


@given(st.integers(0, 700), st.lists(st.integers(0, 300), max_size=6))
def test_a_stream_equals_the_file_bit_by_bit(samples: int, cuts: list[int]) -> None:
    audio = noise(2, samples)
    state, parts = HalvingState.start(2), []
    for chunk in np.split(audio, sorted(min(cut, samples) for cut in cuts), axis=1):
        part, state = halve_chunk(chunk, state)
        parts.append(part)
    streamed = np.concatenate([*parts, finish_halving(state)], axis=1)
    assert streamed.tobytes() == halve_rate(audio).tobytes()
    assert streamed.shape == (2, -(-samples // 2))


def test_long_files_agree_with_slow_integer_sums() -> None:
    audio = noise(1, 20_001)
    padded = np.pad(np.rint(audio[0] * 2.0**23).astype(np.int64), 127)
    sums = np.convolve(padded, halving_coefficients(), "valid")[::2]
    assert halve_rate(audio)[0].tolist() == (sums / 2**43).astype(np.float32).tolist()


@pytest.mark.parametrize("rate_hz", [8_000, 16_000, 22_050, 32_000, 44_100, 96_000, 192_000])
def test_other_rates_keep_a_tone(rate_hz: int) -> None:
    resampled = to_sample_rate(tone(1_000, rate_hz, rate_hz // 10), rate_hz)
    assert resampled.shape == (1, 2_400)
    assert resampled.dtype == np.float32
    assert resampled[:, 300:-300] == pytest.approx(tone(1_000, 24_000, 2_400)[:, 300:-300], abs=1e-4)


def test_24_khz_is_untouched() -> None:
    audio = noise(4, 100)
    assert to_sample_rate(audio, 24_000) is audio


@pytest.mark.parametrize("rate_hz", [0, 7_999, 192_001, -24_000])
def test_rates_outside_the_range_are_refused(rate_hz: int) -> None:
    with pytest.raises(AudioFormatError, match=f"between 8000 and 192000 Hz, got {rate_hz}; resample first"):
        to_sample_rate(noise(1, 10), rate_hz)
