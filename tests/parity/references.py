"""What Python hears, for runtimes in other languages to compare with: `python -m tests.parity.references OUT`.

For every released ONNX and TFLite bundle of a model that hears foa, and for bundles of the tiny network of
tests/tiny.py, OUT/NAME.json says where the bundle and the audio are and which events each choice of passes gives, for
int8 also how far LiteRT's own two sets of kernels round apart (rounding.py); OUT/NAME-I.safetensors holds the frames of
choice I, and as `call/J/OUTPUT` what the runtime answered on the way, so that everything else can be compared apart
from the runtime. A second run makes only what is missing or was made of other sources.
"""

import hashlib
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from edgeseld.core.events import SeldEvent
from edgeseld.core.manifest import SUMS_FILE, Interface, Role
from edgeseld.core.prediction import Float32
from edgeseld.core.structs import Frozen, read_json, to_json
from edgeseld.runtime.backends import Backend
from edgeseld.runtime.bundle import SUFFIX, open_bundle
from edgeseld.runtime.model import Model, load
from edgeseld.signal.audio import read_audio
from tests.parity.recordings import Call, call_of, prediction_arrays
from tests.parity.rounding import PlainKernels, Rounding, measure_rounding
from tests.tiny import make_bundle, make_model

ROOT = Path(__file__).parent.parent.parent
AUDIO = ROOT / "examples" / "sample_scene.wav"
TARGETS = ("onnx", "tflite")
# Monte Carlo samples, time shifts.
CHOICES = ((0, 1), (10, 1), (0, 5), (10, 5))


class Choice(Frozen, frozen=True, kw_only=True):
    """Questions to the runtime and events of one choice of passes, or why the model refuses it; rounding of int8."""

    mc_samples: int
    time_shifts: int
    calls: tuple[Call, ...] = ()
    events: tuple[SeldEvent, ...] = ()
    rounding: Rounding | None = None
    refused: str | None = None


class Reference(Frozen, frozen=True, kw_only=True):
    """NAME.json; `bundle` and `audio` are paths."""

    bundle: str
    audio: str
    sources: str
    choices: tuple[Choice, ...]
    stream: tuple[SeldEvent, ...]


@dataclass
class Witness:
    """A backend that writes down what it is asked and what it answers."""

    interface: Interface
    backend: Backend
    calls: list[Call] = field(default_factory=list)
    answers: dict[str, Float32] = field(default_factory=dict)

    def run(self, role: Role, inputs: Sequence[Float32]) -> list[Float32]:
        """Outputs of a graph in the manifest's order."""
        outputs = self.backend.run(role, inputs)
        names = [tensor.name for tensor in self.interface.graphs[role].outputs]
        prefix = f"call/{len(self.calls)}"
        self.answers |= {f"{prefix}/{n}": np.ascontiguousarray(o) for n, o in zip(names, outputs, strict=True)}
        self.calls.append(call_of(role, inputs))
        return outputs


def write_references(output: Path) -> list[str]:
    """References of all bundles under models/ and of the tiny ones; their names. Those of bundles that went go too."""
    output = output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    sources = _sources()
    bundles = [path for path in sorted(ROOT.glob(f"models/*/bundles/*{SUFFIX}.zip")) if _target(path) in TARGETS]
    names = []
    for bundle in [*bundles, *_tiny_bundles(output, sources)]:
        opened = open_bundle(bundle)
        if opened.manifest.signal.channel_format != "foa":
            continue
        name = opened.manifest.name
        names.append(name)
        stamp = hashlib.sha256(sources.encode() + (opened.folder / SUMS_FILE).read_bytes()).hexdigest()
        if not _is_current(output / f"{name}.json", stamp):
            _write(output, name, bundle, stamp)
    for reference in output.glob("*.json"):
        if reference.stem not in names:
            reference.unlink()
    return names


def _write(output: Path, name: str, bundle: Path, stamp: str) -> None:
    model = load(bundle, check="off")
    opened = open_bundle(bundle)
    plain = None if opened.manifest.precision == "fp32" else PlainKernels(opened)
    audio = read_audio(AUDIO, "foa")
    choices = []
    for index, (mc_samples, time_shifts) in enumerate(CHOICES):
        choice, arrays = _hear(model, plain, audio, mc_samples, time_shifts)
        choices.append(choice)
        save_file(arrays, output / f"{name}-{index}.safetensors")
    reference = Reference(
        bundle=str(bundle), audio=str(AUDIO), sources=stamp, choices=tuple(choices), stream=_streamed(model, audio)
    )
    (output / f"{name}.json").write_bytes(to_json(reference))


def _hear(
    model: Model, plain: PlainKernels | None, audio: Float32, mc_samples: int, time_shifts: int
) -> tuple[Choice, dict[str, Float32]]:
    needed = {"head"} if mc_samples else set()
    if time_shifts > 1 and "stream" not in model.interface.graphs:
        needed |= {"frontend", "encoder"}
    missing = sorted(needed - set(model.interface.graphs))
    passes = {"mc_samples": mc_samples, "time_shifts": time_shifts}
    if missing:
        return Choice(**passes, refused=missing[0]), {}
    witness = Witness(model.interface, model.backend)
    prediction = Model(model.interface, witness).predict(audio, **passes)
    rounding = measure_rounding(model.interface, witness.answers, plain, audio, passes) if plain else None
    choice = Choice(**passes, calls=tuple(witness.calls), events=prediction.events(), rounding=rounding)
    return choice, witness.answers | prediction_arrays(prediction)


def _streamed(model: Model, audio: Float32) -> tuple[SeldEvent, ...]:
    """Events of the live stream, in the order in which they end."""
    stream = model.stream()
    return stream.feed(audio).closed + stream.finish().closed


def _tiny_bundles(output: Path, sources: str) -> list[Path]:
    """Bundles of the tiny network, made anew where the sources changed."""
    folder, stamp = output / "bundles", output / "bundles" / "sources"
    if not stamp.exists() or stamp.read_text() != sources:
        shutil.rmtree(folder, ignore_errors=True)
        model = folder / "tiny"
        model.mkdir(parents=True)
        make_model(model)
        for target in TARGETS:
            make_bundle(model, target, folder)
        stamp.write_text(sources)
    return sorted(folder.glob(f"*{SUFFIX}"))


def _sources() -> str:
    """Hash of all Python that decides on bundles and events."""
    digest = hashlib.sha256()
    for room in ("core", "signal", "runtime", "nn", "export"):
        for path in sorted((ROOT / "edgeseld" / room).rglob("*.py")):
            digest.update(path.read_bytes())
    for path in (ROOT / "tests" / "tiny.py", Path(__file__).with_name("rounding.py"), Path(__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def _target(bundle: Path) -> str:
    return next((target for target in TARGETS if f"-{target}-" in bundle.name), "")


def _is_current(path: Path, stamp: str) -> bool:
    return path.exists() and read_json(path, Reference).sources == stamp


if __name__ == "__main__":
    for name in write_references(Path(sys.argv[1])):
        print(name)  # noqa: T201
