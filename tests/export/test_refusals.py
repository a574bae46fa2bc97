"""Converters that fail are explained in one line."""

import pytest
import torch
from torch import Tensor, nn

from edgeseld.core.errors import BackendMissingError, ExportError
from edgeseld.core.manifest import Role, TensorSpec
from edgeseld.export.graphs import Graph
from edgeseld.export.refusals import explained


class Spectrum(nn.Module):
    """What no phone's runtime takes."""

    def forward(self, x: Tensor) -> Tensor:
        return torch.fft.rfft(x).abs()


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.analysis = Spectrum()

    def forward(self, x: Tensor) -> tuple[Tensor]:
        return (self.analysis(x),)


@pytest.fixture
def graphs() -> dict[Role, Graph]:
    tensor = TensorSpec(name="x", shape=(1, 8), meaning="made up")
    return {"full": Graph(Network(), (tensor,), (tensor,), (torch.zeros(1, 8),))}


@pytest.mark.parametrize(
    "message",
    [
        "PyTorch convert function for op 'fft_rfft' not implemented.",
        "Lowering not found: aten.fft_rfft.default",
        "No ONNX function found for <OpOverload(op='aten.fft_rfft', overload='default')>",
        "Unsupported fx node fft_rfft, kind fft_rfft",
    ],
)
def test_an_unknown_operator_is_named_with_its_layer_and_a_way_out(graphs: dict[Role, Graph], message: str) -> None:
    with pytest.raises(
        ExportError, match=r"tflite cannot take .* operator fft_rfft of analysis: write that layer with"
    ):
        with explained("tflite", graphs):
            raise RuntimeError(message)


def test_other_failures_give_their_first_line(graphs: dict[Role, Graph]) -> None:
    with pytest.raises(ExportError, match="onnx cannot take this model: the moon is full; choose another target"):
        with explained("onnx", graphs):
            raise ValueError("\n the moon is full\nline two")


def test_a_missing_library_names_its_extra_and_a_full_disk_passes(graphs: dict[Role, Graph]) -> None:
    with pytest.raises(BackendMissingError, match=r"pip install 'edgeseld\[export\]'"), explained("coreml", graphs):
        raise ModuleNotFoundError("No module named 'coremltools'")
    with pytest.raises(OSError, match="No space left"), explained("coreml", graphs):
        raise OSError(28, "No space left on device")


def test_the_layer_is_found_where_a_converter_shortens_the_name(graphs: dict[Role, Graph]) -> None:
    with pytest.raises(ExportError, match="does not know the operator rfft of analysis"), explained("onnx", graphs):
        raise RuntimeError(
            "No ONNX function found for <OpOverload(op='prims.rfft', overload='default')>. Failure message: none"
        )
