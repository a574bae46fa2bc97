"""TFLite files run on TensorFlow's own interpreter too."""

from pathlib import Path

import numpy as np
import pytest

from edgeseld.runtime.bundle import open_bundle
from edgeseld.runtime.golden import golden_inputs, read_golden
from tests.tiny import make_bundle


@pytest.mark.export
@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_the_golden_scene_on_the_interpreter_of_tensorflow(tiny_model: Path, tmp_path: Path) -> None:
    tensorflow = pytest.importorskip("tensorflow", reason="needs the extra 'tensorflow'")
    bundle = open_bundle(make_bundle(tiny_model, "tflite", tmp_path))
    graph, golden = bundle.graph("full"), read_golden(bundle.folder)
    interpreter = tensorflow.lite.Interpreter(model_path=str(bundle.folder / graph.file))
    scene = golden_inputs(bundle.manifest, golden)["scene"]
    outputs = interpreter.get_signature_runner(graph.entry)(pcm=scene)
    np.testing.assert_allclose(outputs["accdoa"], golden["scene/full/accdoa"], atol=1e-4)
