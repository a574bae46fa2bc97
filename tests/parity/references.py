"""What Python hears, for runtimes in other languages to compare with: `python -m tests.parity.references OUT`.

For every released ONNX and TFLite bundle of a model that hears foa, and for bundles of the tiny network of
tests/tiny.py, OUT/NAME.json says where the bundle and the audio are and which events each choice of passes gives;
OUT/NAME-I.safetensors holds the frames of choice I. A second run makes only what is missing or was made of other
sources.
"""

import hashlib
import shutil
import sys
from pathlib import Path

from safetensors.numpy import save_file

from edgeseld.core.events import SeldEvent
from edgeseld.core.prediction import Float32
from edgeseld.core.structs import Frozen, read_json, to_json
from edgeseld.runtime.bundle import SUFFIX, open_bundle
from edgeseld.runtime.model import Model, load
from edgeseld.signal.audio import read_audio
from tests.parity.recordings import prediction_arrays
from tests.tiny import make_bundle, make_model

ROOT = Path(__file__).parent.parent.parent
AUDIO = ROOT / "examples" / "sample_scene.wav"
TARGETS = ("onnx", "tflite")
# Monte Carlo samples, time shifts.
CHOICES = ((0, 1), (10, 1), (0, 5), (10, 5))


class Choice(Frozen, frozen=True, kw_only=True):
    """Events of one choice of passes, or why the model refuses it."""

    mc_samples: int
    time_shifts: int
    events: tuple[SeldEvent, ...] = ()
    refused: str | None = None


class Reference(Frozen, frozen=True, kw_only=True):
    """NAME.json; `bundle` and `audio` are paths."""

    bundle: str
    audio: str
    sources: str
    choices: tuple[Choice, ...]
    stream: tuple[SeldEvent, ...]


def write_references(output: Path) -> list[str]:
    """References of all bundles under models/ and of the tiny ones; their names."""
    output = output.resolve()
    output.mkdir(parents=True, exist_ok=True)
    sources = _sources()
    bundles = [path for path in sorted(ROOT.glob(f"models/*/bundles/*{SUFFIX}")) if _target(path) in TARGETS]
    names = []
    for bundle in [*bundles, *_tiny_bundles(output, sources)]:
        name = bundle.name.removesuffix(SUFFIX)
        if open_bundle(bundle).manifest.signal.channel_format != "foa":
            continue
        names.append(name)
        stamp = hashlib.sha256(sources.encode() + (bundle / "SHA256SUMS").read_bytes()).hexdigest()
        if not _is_current(output / f"{name}.json", stamp):
            _write(output, name, bundle, stamp)
    return names


def _write(output: Path, name: str, bundle: Path, stamp: str) -> None:
    model = load(bundle, check="off")
    audio = read_audio(AUDIO, "foa")
    choices = []
    for index, (mc_samples, time_shifts) in enumerate(CHOICES):
        possible = {"head"} if mc_samples else set()
        if time_shifts > 1 and "stream" not in model.interface.graphs:
            possible |= {"frontend", "encoder"}
        missing = sorted(possible - set(model.interface.graphs))
        if missing:
            choices.append(Choice(mc_samples=mc_samples, time_shifts=time_shifts, refused=missing[0]))
            continue
        prediction = model.predict(audio, mc_samples=mc_samples, time_shifts=time_shifts)
        choices.append(Choice(mc_samples=mc_samples, time_shifts=time_shifts, events=prediction.events()))
        save_file(prediction_arrays(prediction), output / f"{name}-{index}.safetensors")
    reference = Reference(
        bundle=str(bundle), audio=str(AUDIO), sources=stamp, choices=tuple(choices), stream=_streamed(model, audio)
    )
    (output / f"{name}.json").write_bytes(to_json(reference))


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
    digest.update((ROOT / "tests" / "tiny.py").read_bytes() + Path(__file__).read_bytes())
    return digest.hexdigest()


def _target(bundle: Path) -> str:
    return next((target for target in TARGETS if f"-{target}-" in bundle.name), "")


def _is_current(path: Path, stamp: str) -> bool:
    return path.exists() and read_json(path, Reference).sources == stamp


if __name__ == "__main__":
    for name in write_references(Path(sys.argv[1])):
        print(name)  # noqa: T201
