"""`edgeseld features`: reference features of an audio file."""

from pathlib import Path

import click
import numpy as np

from edgeseld.core.atomic import atomic_file
from edgeseld.signal.audio import read_audio
from edgeseld.signal.features import reference_features
from edgeseld.signal.presets import PRESETS


@click.command(name="features")
@click.argument("audio", type=click.Path(path_type=Path))
@click.option("--preset", type=click.Choice(list(PRESETS)), required=True, help="Whose features; docs/features.md.")
@click.option("--output", type=click.Path(path_type=Path, dir_okay=False), required=True, help="File to write (.npz).")
def command(audio: Path, preset: str, output: Path) -> None:
    """Write the features that a published system computes from AUDIO, a sound file or a 24 kHz .npy scene.

    The array `features` is float32 (channels, frames, bins), not standardised. Log-mel maps are clipped to 80 dB below
    the file's maximum where the official programs do so; no streaming frontend can do that, see docs/features.md.

    \b
    Example:
    edgeseld features scene.wav --preset dcase2023-foa --output scene.npz
    """
    settings = PRESETS[preset]
    features = reference_features(read_audio(audio, settings.channel_format), settings)
    with atomic_file(output) as temporary, temporary.open("wb") as file:
        np.savez(file, features=features)
    channels, frames, bins = features.shape
    click.echo(f"{output}: {channels} channels x {frames} frames x {bins} bins")
