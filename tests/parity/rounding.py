"""How far two right implementations of int8 arithmetic are apart, measured where both are to be had: in LiteRT itself.

A runtime that quantises activations as they come rounds each to one of 255 steps. The last bit of a sum in float, which
depends on the kernel, the compiler and the processor, decides on which side of a step a value falls, and a step is far
larger than that bit. So two runtimes, or two sets of kernels of one, answer apart, and an activity that lies between
both sides of a threshold starts or ends an event in one of them only. LiteRT with XNNPACK and with its own kernels on
the same file, audio and processor shows how wide that is.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
import numpy as np
from ai_edge_litert.interpreter import Interpreter, OpResolverType

from edgeseld.core.geometry import angle_between_deg
from edgeseld.core.manifest import Interface, Role
from edgeseld.core.prediction import Float32, Prediction
from edgeseld.core.structs import Frozen
from edgeseld.runtime.backends.tflite import TfliteBackend
from edgeseld.runtime.model import Model


class Rounding(Frozen, frozen=True, kw_only=True):
    """Largest difference between two sets of kernels: of any activity, and of the direction of what both hear."""

    activity: float
    direction_deg: float


class PlainKernels(TfliteBackend):
    """LiteRT without XNNPACK."""

    def _open(self, role: Role) -> Any:
        graph = self.bundle.graph(role)
        interpreter = Interpreter(
            model_path=str(self.bundle.folder / graph.file),
            num_threads=self.threads,
            experimental_op_resolver_type=OpResolverType.BUILTIN_WITHOUT_DEFAULT_DELEGATES,
        )
        self._runners[role] = interpreter.get_signature_runner(graph.entry)
        return self._runners[role]


class Again:
    """Gives the answers `call/I/OUTPUT` of an earlier run once more."""

    def __init__(self, interface: Interface, answers: Mapping[str, Float32]) -> None:
        self.interface, self.answers, self.asked = interface, answers, 0

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of the next call."""
        names = [f"call/{self.asked}/{tensor.name}" for tensor in self.interface.graphs[role].outputs]
        self.asked += 1
        return [self.answers[name] for name in names]


def measure_rounding(
    interface: Interface, answers: Mapping[str, Float32], plain: PlainKernels, audio: Float32, passes: Mapping[str, int]
) -> Rounding:
    """How far what plain kernels hear lies from what was heard with `answers`; tracks before unification."""
    apart = msgspec.structs.replace(interface, tracking=msgspec.structs.replace(interface.tracking, unify_deg=0.0))
    one, other = (Model(apart, backend).predict(audio, **passes) for backend in (Again(apart, answers), plain))
    return Rounding(
        activity=float(np.abs(one.activity - other.activity).max()), direction_deg=_largest_turn_deg(one, other)
    )


def _largest_turn_deg(one: Prediction, other: Prediction) -> float:
    thresholds = np.asarray(one.tracking.thresholds(one.classes))
    both = (one.activity > thresholds) & (other.activity > thresholds)
    return float(angle_between_deg(one.direction[both], other.direction[both]).max(initial=0.0))
