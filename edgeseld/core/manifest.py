"""`manifest.json`: everything a device must know of a bundle; docs/bundle.md explains it."""

from typing import Annotated, Literal

from msgspec import Meta

from edgeseld.core.spec import Identifier, OutputFormat, Positive, Rate, SignalSpec, TrackingSpec, Version
from edgeseld.core.structs import Frozen

SCHEMA_VERSION = 1
MANIFEST_FILE = "manifest.json"
GOLDEN_FILE = "golden.safetensors"
VERIFICATION_FILE = "verification.json"
CARD_FILE = "README.md"
SUMS_FILE = "SHA256SUMS"
CALIBRATION_FILE = "calibration.json"

Target = Literal["onnx", "tflite", "executorch", "coreml"]
Precision = Literal["fp32", "fp16", "int8-dynamic", "int8", "palette"]
# What a graph is for: `full` PCM to output; `trunk` PCM to embedding, `head` embedding and masks to the outputs of a
# chunk of Monte Carlo samples; `frontend` PCM to features, `encoder` features to embedding, for time shifts that share
# one frontend pass; `stream` one label frame of PCM and state to output and state.
Role = Literal["full", "trunk", "head", "frontend", "encoder", "stream"]
Hash = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$")]


class TensorSpec(Frozen, frozen=True, kw_only=True):
    """One input or output; scale and zero point where it is quantised."""

    name: str
    shape: tuple[Positive, ...]
    meaning: str
    dtype: Literal["float32", "int8", "uint8"] = "float32"
    scale: float | None = None
    zero_point: int | None = None


class GraphSpec(Frozen, frozen=True, kw_only=True):
    """One graph: its file, the entry point inside it where the file holds several, and its tensors in order."""

    file: str
    entry: str | None = None
    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class MaskSiteSpec(Frozen, frozen=True, kw_only=True):
    """One dropout site; its place in the list is its number in the counter of the generator."""

    name: str
    channels: Positive
    rate: Rate


class MonteCarloSpec(Frozen, frozen=True, kw_only=True):
    """Masks of the head graph, which takes `chunk_samples` samples per call."""

    sites: tuple[MaskSiteSpec, ...]
    chunk_samples: Positive
    generator: Literal["philox4x32-10"] = "philox4x32-10"


class CalibrationSpec(Frozen, frozen=True, kw_only=True):
    """What was learnt on held-out scenes about how far the network's own confidence can be trusted.

    The activity p of every pass becomes sigmoid(logit(p) / temperature + bias) of its class; classes that are not named
    keep 1 and 0. The bias is needed because the length of a vector is no logit: 0.5 need not mean "as likely as not".
    `spread_factor` multiplies the angular spread, up to 90 degrees. `data` names the scenes. The thresholds fitted with
    it stand in the tracking rules.
    """

    data: str
    temperature: dict[str, Annotated[float, Meta(gt=0.0)]]
    bias: dict[str, float]
    spread_factor: Annotated[float, Meta(gt=0.0)] = 1.0


class Fitted(Frozen, frozen=True, kw_only=True):
    """A calibration and the thresholds (best frame-wise F of each class) that go with it.

    As calibration.json beside a model's weights it goes into every bundle of the model.
    """

    calibration: CalibrationSpec
    class_thresholds: dict[str, Annotated[float, Meta(gt=0.0, lt=1.0)]]


class ToleranceSpec(Frozen, frozen=True, kw_only=True):
    """How far an exported graph may stray from the float model before its bundle is refused.

    Raw outputs: largest and mean absolute difference over the golden vectors. Events: share of the active frames that
    appear or vanish, and mean change of direction, frames near a threshold apart.
    """

    raw_max: Annotated[float, Meta(gt=0.0)]
    raw_mean: Annotated[float, Meta(gt=0.0)]
    changed_frames: Annotated[float, Meta(ge=0.0, le=1.0)]
    direction_deg: Annotated[float, Meta(gt=0.0)]


class ProvenanceSpec(Frozen, frozen=True, kw_only=True):
    """Where the bundle comes from; nothing here changes from one export to the next."""

    sources_sha256: Hash
    weights_sha256: Hash
    tools: dict[str, str]


class Interface(Frozen, frozen=True, kw_only=True):
    """What a runtime must know to hear with a model."""

    id: Identifier
    signal: SignalSpec
    context_samples: Annotated[int, Meta(ge=0)]
    output_format: OutputFormat
    classes: tuple[str, ...]
    tracking: TrackingSpec
    input: Literal["waveform", "features"] = "waveform"
    graphs: dict[Role, GraphSpec]
    monte_carlo: MonteCarloSpec | None = None
    calibration: CalibrationSpec | None = None


class Manifest(Interface, frozen=True, kw_only=True):
    """A model, exported to one target at one precision."""

    schema_version: int = SCHEMA_VERSION
    version: Version
    description: str
    licence: str
    target: Target
    precision: Precision
    verified: bool
    tolerance: ToleranceSpec
    provenance: ProvenanceSpec

    @property
    def name(self) -> str:
        """Folder name without the suffix `.seld`."""
        return bundle_name(self.id, self.target, self.precision)


def bundle_name(model_id: str, target: str, precision: str) -> str:
    """`{id}-{target}-{precision}`."""
    return f"{model_id}-{target}-{precision}"
