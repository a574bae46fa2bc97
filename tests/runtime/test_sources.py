"""Files block by block are the files, at the pace that is asked for."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import soundfile

from edgeseld.core.errors import AudioFormatError
from edgeseld.runtime.streaming.resampling import BlockResampler
from edgeseld.runtime.streaming.sources import file_blocks, in_real_time
from edgeseld.signal.audio import read_audio
from tests.runtime.parts import noise


def sound_file(folder: Path, rate_hz: int, name: str = "a.wav") -> Path:
    soundfile.write(folder / name, np.clip(noise(rate_hz // 2 + 17), -1, 1).T, rate_hz, subtype="PCM_16")
    return folder / name


@pytest.mark.parametrize("rate_hz", [24_000, 48_000, 44_100, 16_000])
@pytest.mark.parametrize("foa_order", ["acn-sn3d", "fuma"])
def test_blocks_are_the_file(tmp_path: Path, rate_hz: int, foa_order: str) -> None:
    path = sound_file(tmp_path, rate_hz)
    blocks = list(file_blocks(path, "foa", foa_order))  # type: ignore[arg-type]
    whole = read_audio(path, "foa", foa_order)  # type: ignore[arg-type]
    assert len(blocks) >= 5
    joined = np.concatenate(blocks, axis=1)
    assert abs(joined.shape[1] - whole.shape[1]) <= 1
    samples = min(joined.shape[1], whole.shape[1])
    exact = rate_hz in (24_000, 48_000)
    np.testing.assert_allclose(joined[:, :samples], whole[:, :samples], atol=0 if exact else 1e-5)
    assert all(block.dtype == np.float32 for block in blocks)


def test_scenes_stored_as_arrays(tmp_path: Path) -> None:
    np.save(tmp_path / "a.npy", noise(5_000))
    blocks = list(file_blocks(tmp_path / "a.npy", "foa"))
    assert [block.shape[1] for block in blocks] == [2400, 2400, 200]
    np.testing.assert_array_equal(np.concatenate(blocks, axis=1), noise(5_000))


def test_files_that_cannot_be_heard(tmp_path: Path) -> None:
    with pytest.raises(AudioFormatError, match=r"nowhere\.wav: there is no such file"):
        next(file_blocks(tmp_path / "nowhere.wav", "foa"))
    with pytest.raises(AudioFormatError, match="hears 2 channels, got 4"):
        next(file_blocks(sound_file(tmp_path, 24_000), "stereo"))
    (tmp_path / "text.wav").write_text("no sound")
    with pytest.raises(AudioFormatError, match=r"text\.wav: audio must be an intact file"):
        next(file_blocks(tmp_path / "text.wav", "foa"))
    with pytest.raises(AudioFormatError, match="between 8000 and 192000 Hz, got 6000"):
        next(file_blocks(sound_file(tmp_path, 6_000, "slow.wav"), "foa"))


@pytest.mark.parametrize("rate_hz", [24_000, 48_000, 32_000])
def test_sizes_of_blocks_do_not_matter_to_the_resampler(rate_hz: int) -> None:
    audio, outputs = noise(9_000), []
    for sizes in ([9_000], [1, 0, 333, 4_000, 127, 2, 4_537]):
        resampler = BlockResampler(4, rate_hz)
        parts = [resampler.push(part) for part in np.split(audio, np.cumsum(sizes)[:-1], axis=1)]
        outputs.append(np.concatenate([*parts, resampler.finish()], axis=1))
    np.testing.assert_allclose(outputs[0], outputs[1], atol=0 if rate_hz != 32_000 else 1e-6)


def test_real_time_holds_blocks_back_until_they_would_have_come() -> None:
    now_s = [7.0]

    def sleep(duration_s: float) -> None:
        now_s[0] += duration_s

    times_s = []
    for index, _ in enumerate(in_real_time([noise(2400)] * 5, lambda: now_s[0], sleep)):
        times_s.append(now_s[0])
        # A model that takes 0.25 s once is late, and catches up.
        now_s[0] += 0.25 if index == 1 else 0.01
    assert times_s == pytest.approx([7.1, 7.2, 7.45, 7.46, 7.5])
    assert all(later > earlier for earlier, later in pairwise(times_s))
