"""Microphones and outputs that other tests do not export, in float: each export proves itself before it is written."""

from pathlib import Path

import pytest

from edgeseld.runtime.bundle import open_bundle
from tests.tiny import MODEL_TOML, make_bundle, make_model

MONO, STEREO = ("mono", "none", "sed"), ("stereo", "band-phase", "sed-doa")


@pytest.mark.export
@pytest.mark.slow
@pytest.mark.parametrize(
    ("channels", "spatial", "output", "target"),
    [(*MONO, target) for target in ("onnx", "tflite", "executorch", "coreml")] + [(*STEREO, "coreml")],
)
def test_every_kind_hears_the_same_on_every_target(
    tmp_path: Path, channels: str, spatial: str, output: str, target: str
) -> None:
    recipe = MODEL_TOML.replace("signal = {", f'signal = {{ channel_format = "{channels}", spatial = "{spatial}",')
    recipe = recipe.replace("head = {", f'head = {{ format = "{output}",').replace("causal = true\n", "")
    model = tmp_path / "tiny"
    model.mkdir()
    manifest = open_bundle(make_bundle(make_model(model, recipe), target, tmp_path)).manifest
    assert (manifest.signal.channel_format, manifest.output_format) == (channels, output)
