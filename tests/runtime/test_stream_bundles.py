"""Streams of a real causal network, exported: what the offline graph hears, step by step."""

import threading
from pathlib import Path

import numpy as np
import pytest

import edgeseld
from edgeseld.core.prediction import Float32, Prediction, join_predictions
from edgeseld.runtime.interpret import finish, interpret
from edgeseld.runtime.model import Model
from edgeseld.runtime.windows import window_pcm
from tests.runtime.parts import noise
from tests.tiny import make_bundle

pytestmark = pytest.mark.export


@pytest.fixture(scope="module", params=["onnx", "tflite"])
def model(request: pytest.FixtureRequest, tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Model:
    return edgeseld.load(make_bundle(tiny_model, request.param, tmp_path_factory.mktemp("streams")), check="strict")


def listen(model: Model, audio: Float32, sizes: list[int]) -> Prediction:
    stream = model.stream()
    parts = [stream.feed(block) for block in np.split(audio, np.cumsum(sizes), axis=1)] + [stream.finish()]
    return join_predictions([part.prediction for part in parts if part.prediction is not None])


def test_a_stream_equals_the_offline_graph(model: Model) -> None:
    """The whole window at once, through the graph that has no state."""
    signal = model.interface.signal
    audio = 0.1 * noise(signal.window_pcm_samples)
    names = [tensor.name for tensor in model.interface.graphs["full"].outputs]
    outputs = model.backend.run("full", [window_pcm(audio, 0, signal)])
    whole = {name: array[0] for name, array in zip(names, outputs, strict=True)}
    offline = finish(interpret(whole, model.interface, None), model.interface, None)
    streamed = listen(model, audio, [1, 999, 2400, 0, 7000])
    np.testing.assert_allclose(streamed.activity, offline.activity, atol=1e-5)
    active = offline.activity > 1e-2
    np.testing.assert_allclose(streamed.direction[active], offline.direction[active], atol=1e-3)


def test_block_sizes_and_other_threads_change_nothing(model: Model) -> None:
    audio = [0.1 * noise(20 * 2400 + 50, seed) for seed in (1, 2)]
    alone = [model.predict(one) for one in audio]
    heard: dict[int, Prediction] = {}

    def run(index: int) -> None:
        heard[index] = listen(model, audio[index], np.random.default_rng(index).integers(0, 5000, 12).tolist())

    threads = [threading.Thread(target=run, args=[index]) for index in (0, 1)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for index in (0, 1):
        np.testing.assert_array_equal(heard[index].activity, alone[index].activity)
        np.testing.assert_array_equal(heard[index].direction, alone[index].direction)
