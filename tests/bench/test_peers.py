"""Peers compute what their papers say: their features are those of the reference programs."""

from pathlib import Path

import numpy as np
import pytest

from edgeseld.signal.features import reference_features
from edgeseld.signal.presets import PRESETS

pytest.importorskip("librosa")


@pytest.mark.slow
def test_salsa_lite_is_that_of_the_reference(tmp_path: Path) -> None:
    from benchmarks.peers.salsa_lite import SalsaLiteSeldnet

    pcm = np.random.default_rng(0).normal(0.0, 0.1, (4, 24_000)).astype(np.float32)
    peer = SalsaLiteSeldnet(24_000, tmp_path)
    reference = reference_features(pcm, PRESETS["salsa-lite"])
    assert peer(pcm).shape == (1, 10, 117)
    # librosa's float32 transform; a phase near half a turn may fall to the other side.
    close = np.isclose(peer.features(pcm)[0], reference, rtol=1e-3, atol=2e-3)
    assert close.mean() > 0.999
