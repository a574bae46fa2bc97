"""Other languages repeat the recordings of tests/golden/hearing; Python does too, so that neither drifts alone."""

import msgspec
import numpy as np
import pytest
from safetensors.numpy import load_file

from tests.parity.recordings import GOLDEN, RECIPES, Recording, record


@pytest.mark.parametrize("number", range(len(RECIPES)), ids=list(RECIPES))
def test_python_still_asks_and_hears_what_was_recorded(number: int) -> None:
    name = list(RECIPES)[number]
    recorded = msgspec.json.decode((GOLDEN / f"{name}.json").read_bytes(), type=Recording)
    now, arrays = record(RECIPES[name], number)
    assert now.calls == recorded.calls
    assert now.manifest == recorded.manifest
    assert [(e.class_name, e.track, e.onset_s, e.offset_s) for e in now.events] == [
        (e.class_name, e.track, e.onset_s, e.offset_s) for e in recorded.events
    ]
    for key, array in load_file(GOLDEN / f"{name}.safetensors").items():
        np.testing.assert_allclose(arrays[key], array, atol=1e-5, err_msg=key)
