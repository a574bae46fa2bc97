"""Settings of the reference features, by name; docs/features.md gives the source of every figure."""

from dataclasses import dataclass
from typing import Literal

from edgeseld.core.spec import CHANNELS, ChannelFormat
from edgeseld.signal.window import WindowKind

SpatialCue = Literal["intensity", "unit-intensity", "gcc-phat", "salsa-lite", "level-phase", "none"]

# Maps beside those of the single channels: intensity Y, Z, X; six pairs of microphones; three phases against the first
# microphone; mid, side, level difference and the two parts of the coherence.
SPATIAL_MAPS: dict[SpatialCue, int] = {
    "intensity": 3,
    "unit-intensity": 3,
    "gcc-phat": 6,
    "salsa-lite": 3,
    "level-phase": 5,
    "none": 0,
}


@dataclass(frozen=True, slots=True)
class FeaturePreset:
    """One kind of reference features: 24 kHz audio to maps (maps, samples // hop_samples, bins).

    Frame t is centred on sample t x hop_samples, silence around the file. `bins` are Slaney mel bands, for salsa-lite
    spectrum bins from the second one on. Log maps are clipped to `dynamic_range_db` below their maximum in the whole
    file, None for no clip.
    """

    channel_format: ChannelFormat
    spatial: SpatialCue
    n_fft: int = 1024
    hop_samples: int = 480
    window: WindowKind = "hann"
    window_samples: int = 960
    bins: int = 64
    dynamic_range_db: float | None = 80.0

    @property
    def channels(self) -> int:
        """Audio channels."""
        return CHANNELS[self.channel_format]

    @property
    def maps(self) -> int:
        """Feature maps: one per audio channel, then the spatial ones."""
        return self.channels + SPATIAL_MAPS[self.spatial]


PRESETS: dict[str, FeaturePreset] = {
    "dcase2023-foa": FeaturePreset("foa", "intensity"),
    "dcase2023-mic": FeaturePreset("mic", "gcc-phat"),
    "salsa-lite": FeaturePreset("mic", "salsa-lite", bins=382, dynamic_range_db=None),
    "hda-foa": FeaturePreset("foa", "intensity", window="hamming", window_samples=1024),
    "kang-foa": FeaturePreset("foa", "intensity", n_fft=512, hop_samples=240, window_samples=480),
    "berghi-foa": FeaturePreset(
        "foa", "unit-intensity", n_fft=512, hop_samples=150, window_samples=512, bins=128, dynamic_range_db=None
    ),
    "stereo": FeaturePreset("stereo", "level-phase"),
    "mono": FeaturePreset("mono", "none"),
}
