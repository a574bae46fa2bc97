"""Analysis windows: values by hand, librosa's numbers, and no blindness between frames."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from edgeseld.core.errors import ConfigError
from edgeseld.signal.window import WindowKind, analysis_window


def test_hann_by_hand() -> None:
    assert analysis_window("hann", 4, 8) == pytest.approx([0, 0, 0, 0.5, 1, 0.5, 0, 0])


def test_hamming_by_hand() -> None:
    assert analysis_window("hamming", 4, 4) == pytest.approx([0.08, 0.54, 1, 0.54])


def test_tapered_window_ends_with_the_frame() -> None:
    window = analysis_window("tapered", 512, 768)
    assert not window[:256].any()
    assert (window[256 + 32 : 768 - 32] == 1).all()
    assert window[-1] == pytest.approx(np.sin(np.pi / 128) ** 2)


def test_tapered_windows_at_hop_480_add_up_to_one() -> None:
    window = analysis_window("tapered", 512, 512)
    assert window[480:] + window[:32] == pytest.approx(np.ones(32))


@given(st.integers(1, 40), st.sampled_from(["hann", "hamming", "tapered"]), st.integers(0, 9))
def test_a_window_is_never_negative_and_peaks_at_one(half: int, kind: WindowKind, padding: int) -> None:
    window = analysis_window(kind, 2 * half, 2 * half + padding)
    assert window.shape == (2 * half + padding,)
    assert window.min() >= 0
    assert window.max() == pytest.approx(1.0)


@pytest.mark.parametrize(
    ("kind", "samples", "loss_db"), [("hann", 960, 3.1), ("hann", 768, 7.3), ("tapered", 512, 3.1)]
)
def test_no_click_falls_between_frames(kind: WindowKind, samples: int, loss_db: float) -> None:
    """Wherever a click falls, the frames at hop 480 together hear it at most `loss_db` below its full power."""
    window = analysis_window(kind, samples, 1024)
    padded = np.concatenate([window, np.zeros(3 * 480 - 1024)]).reshape(3, 480)
    assert 10 * np.log10((padded**2).sum(axis=0).min()) > -loss_db


@pytest.mark.parametrize(("samples", "n_fft"), [(0, 8), (9, 8), (-1, 8)])
def test_a_window_longer_than_its_frame_is_refused(samples: int, n_fft: int) -> None:
    with pytest.raises(ConfigError, match=rf"got {samples} and {n_fft}"):
        analysis_window("hann", samples, n_fft)


@pytest.mark.parametrize(
    ("kind", "samples", "n_fft"), [("hann", 960, 1024), ("hamming", 1024, 1024), ("hann", 480, 512)]
)
def test_against_librosa(kind: WindowKind, samples: int, n_fft: int) -> None:
    librosa = pytest.importorskip("librosa")
    expected = librosa.util.pad_center(librosa.filters.get_window(kind, samples), size=n_fft)
    assert analysis_window(kind, samples, n_fft) == pytest.approx(expected, abs=1e-14)
