"""The reader of bundles: nothing is used that was changed, added, left out, or that leaves the folder."""

import io
import json
import zipfile
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from edgeseld.core.errors import BundleError
from edgeseld.core.manifest import GraphSpec, Manifest, ProvenanceSpec, TensorSpec, ToleranceSpec
from edgeseld.core.spec import SignalSpec, TrackingSpec
from edgeseld.core.structs import to_json
from edgeseld.runtime.bundle import LARGEST_FILE_COUNT, open_bundle

ROOT = Path(__file__).parent.parent.parent
GRAPH = b"not a graph, but the reader does not look inside"
MANIFEST = Manifest(
    id="made-up",
    signal=SignalSpec(),
    context_samples=544,
    output_format="accdoa",
    classes=("bell", "knock"),
    tracking=TrackingSpec(),
    graphs={
        "full": GraphSpec(
            file="full.onnx",
            inputs=(TensorSpec(name="pcm", shape=(1, 4, 120_544), meaning="audio"),),
            outputs=(TensorSpec(name="accdoa", shape=(1, 50, 1, 3, 2), meaning="vectors"),),
        )
    },
    version="1.0.0",
    description="made up",
    licence="MIT",
    target="onnx",
    precision="fp32",
    verified=True,
    tolerance=ToleranceSpec(raw_max=1.0, raw_mean=1.0, changed_frames=1.0, direction_deg=1.0),
    provenance=ProvenanceSpec(sources_sha256="0" * 64, weights_sha256="0" * 64, tools={}),
)


def write_bundle(folder: Path, manifest: bytes, **files: bytes) -> Path:
    """A folder whose sums are right, whatever its files say."""
    folder.mkdir(parents=True, exist_ok=True)
    content = {"manifest.json": manifest, "full.onnx": GRAPH, **files}
    for name, data in content.items():
        (folder / name).write_bytes(data)
    sums = "".join(f"{sha256(data).hexdigest()}  {name}\n" for name, data in sorted(content.items()))
    (folder / "SHA256SUMS").write_text(sums)
    return folder


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    return write_bundle(tmp_path / "made-up-onnx-fp32.seld", to_json(MANIFEST))


def zipped(folder: Path, prefix: str = "") -> bytes:
    """The files of a folder as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for file in sorted(folder.iterdir()):
            archive.writestr(prefix + file.name, file.read_bytes())
    return buffer.getvalue()


def test_a_bundle_is_read_back(bundle: Path) -> None:
    opened = open_bundle(bundle)
    assert opened.manifest == MANIFEST
    assert opened.manifest.name == "made-up-onnx-fp32"
    assert (opened.folder / opened.graph("full").file).read_bytes() == GRAPH


@pytest.mark.parametrize("prefix", ["", "made-up-onnx-fp32.seld/"])
def test_a_zip_is_read_whether_its_files_lie_at_the_top_or_in_a_folder(bundle: Path, prefix: str) -> None:
    path = bundle.with_suffix(".seld.zip")
    path.write_bytes(zipped(bundle, prefix))
    opened = open_bundle(path)
    assert opened.manifest == MANIFEST
    assert (opened.folder / "full.onnx").read_bytes() == GRAPH


def test_a_graph_that_is_not_there_is_named(bundle: Path) -> None:
    with pytest.raises(BundleError, match="made-up-onnx-fp32 has no graph 'stream', only full"):
        open_bundle(bundle).graph("stream")


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


Damage = Callable[[Path], object]
DAMAGES: dict[str, tuple[Damage, str]] = {
    "a changed byte of the graph": (lambda f: flip(f / "full.onnx", 7), "full.onnx was changed after"),
    "a changed byte of the manifest": (lambda f: flip(f / "manifest.json", 20), "manifest.json was changed after"),
    "a missing file": (lambda f: (f / "full.onnx").unlink(), "lists full.onnx, and .* does not hold it"),
    "a file not listed": (lambda f: (f / "extra.bin").write_bytes(b"x"), "extra.bin is not: remove it"),
    "a listed link": (lambda f: link(f, "full.onnx"), "lists full.onnx, and .* does not hold it"),
    "a link not listed": (lambda f: (f / "more").symlink_to("/etc/hostname"), "more is not: remove it"),
    "no sums": (lambda f: (f / "SHA256SUMS").unlink(), "is no bundle: it has no SHA256SUMS"),
    "sums that are not text": (lambda f: (f / "SHA256SUMS").write_bytes(b"\xff\xfe"), "is no bundle"),
    "a broken line of the sums": (lambda f: (f / "SHA256SUMS").write_text("abc x\n"), "line 1: expected a hash"),
    "empty sums": (lambda f: (f / "SHA256SUMS").write_text(""), "does not list manifest.json"),
    "sums that leave the folder": (lambda f: listed(f, "../outside"), "stay inside it, got '../outside'"),
    "sums with an absolute path": (lambda f: listed(f, "/etc/hostname"), "stay inside it, got '/etc/hostname'"),
    "sums with a drive": (lambda f: listed(f, "C:evil"), "stay inside it"),
}  # fmt: skip


def link(folder: Path, name: str) -> None:
    """Replace a file by a link to a copy of it outside the bundle."""
    outside = folder.parent / "outside"
    (folder / name).rename(outside)
    (folder / name).symlink_to(outside)


def listed(folder: Path, name: str) -> None:
    """One more line in the sums."""
    with (folder / "SHA256SUMS").open("a") as file:
        file.write(f"{'0' * 64}  {name}\n")


@pytest.mark.parametrize("damage", DAMAGES)
def test_what_was_tampered_with_is_refused(bundle: Path, damage: str) -> None:
    harm, message = DAMAGES[damage]
    harm(bundle)
    with pytest.raises(BundleError, match=message):
        open_bundle(bundle)


def changed(**fields: object) -> bytes:
    """The manifest with other fields."""
    return json.dumps(json.loads(to_json(MANIFEST)) | fields).encode()


MANIFESTS = {
    "an unknown key": (changed(licnce="MIT"), "licnce.*did you mean 'licence'"),
    "a newer schema": (changed(schema_version=2), "has schema 2, this edgeseld reads up to 1: upgrade"),
    "a path out of the folder": (
        changed(graphs={"full": {"file": "../full.onnx", "inputs": [], "outputs": []}}),
        "stay inside it, got '../full.onnx'",
    ),
    "a file that is not there": (
        changed(graphs={"full": {"file": "other.onnx", "inputs": [], "outputs": []}}),
        "names other.onnx, which .* does not hold",
    ),
    "an unknown target": (changed(target="abacus"), "abacus"),
    "a signal that cannot be": (changed(signal={"hop_samples": 500}), "hop_samples must divide 2400"),
    "no JSON": (b"{", "manifest.json: .*export the bundle again"),
    "no object": (b"[]", "export the bundle again"),
    "another encoding": (b"\xff\xfe{}", "export the bundle again"),
}


@pytest.mark.parametrize("case", MANIFESTS)
def test_a_manifest_that_breaks_the_schema_is_refused(tmp_path: Path, case: str) -> None:
    content, message = MANIFESTS[case]
    with pytest.raises(BundleError, match=message):
        open_bundle(write_bundle(tmp_path / "b.seld", content))


def test_a_bundle_that_failed_its_verification_is_used_only_when_asked_for(tmp_path: Path) -> None:
    manifest = msgspec.structs.replace(MANIFEST, verified=False)
    folder = write_bundle(tmp_path / "b.seld", to_json(manifest))
    with pytest.raises(BundleError, match="failed its verification"):
        open_bundle(folder)
    assert open_bundle(folder, allow_drift=True).manifest == manifest


def test_a_place_without_a_bundle_is_named(tmp_path: Path) -> None:
    with pytest.raises(BundleError, match="no bundle at"):
        open_bundle(tmp_path / "nothing.seld")
    (tmp_path / "text.seld.zip").write_text("no zip")
    with pytest.raises(BundleError, match="is no bundle zip"):
        open_bundle(tmp_path / "text.seld.zip")


@pytest.mark.parametrize("name", ["../evil", "/tmp/evil", "a/../../evil", "C:/evil", "a\\..\\evil"])
def test_a_zip_whose_names_leave_the_folder_writes_nothing(bundle: Path, tmp_path: Path, name: str) -> None:
    path = tmp_path / "evil.seld.zip"
    path.write_bytes(zipped(bundle))
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(zipfile.ZipInfo(name), b"evil")
    with pytest.raises(BundleError, match="stay inside it"):
        open_bundle(path)
    assert not list(tmp_path.rglob("evil"))


def test_a_zip_of_too_many_files_or_bytes_is_not_unpacked(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "many.seld.zip"
    path.write_bytes(zipped(bundle))
    with zipfile.ZipFile(path, "a") as archive:
        for number in range(LARGEST_FILE_COUNT):
            archive.writestr(f"file-{number}", b"")
    with pytest.raises(BundleError, match="more than a bundle can hold"):
        open_bundle(path)
    monkeypatch.setattr("edgeseld.runtime.bundle.LARGEST_BYTES", 100_000)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(100_001))
    with pytest.raises(BundleError, match="more than a bundle can hold"):
        open_bundle(path)


def test_the_published_schema_is_that_of_the_reader() -> None:
    assert json.loads((ROOT / "docs" / "manifest.schema.json").read_text()) == msgspec.json.schema(Manifest)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
fuzzed = settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])


@fuzzed
@given(field=st.sampled_from(sorted(json.loads(to_json(MANIFEST)))), value=JSON)
def test_any_value_in_any_field_of_the_manifest_is_read_or_refused(tmp_path: Path, field: str, value: object) -> None:
    folder = write_bundle(tmp_path / "b.seld", changed(**{field: value}))
    try:
        opened = open_bundle(folder, allow_drift=True)
    except BundleError:
        return
    # What passes is what was meant: the field reads back as it was written.
    assert json.loads(to_json(opened.manifest)) is not None


@fuzzed
@given(content=st.binary(max_size=200))
def test_any_bytes_as_a_manifest_are_refused(tmp_path: Path, content: bytes) -> None:
    with pytest.raises(BundleError):
        open_bundle(write_bundle(tmp_path / "b.seld", content))


@fuzzed
@given(data=st.data())
def test_a_zip_with_changed_bytes_is_the_same_bundle_or_refused(bundle: Path, data: st.DataObject) -> None:
    content = bytearray(zipped(bundle))
    for _ in range(data.draw(st.integers(1, 4))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    path = bundle.with_suffix(".seld.zip")
    path.write_bytes(content[: data.draw(st.integers(0, len(content)))] if data.draw(st.booleans()) else content)
    try:
        opened = open_bundle(path)
    except BundleError:
        return
    assert opened.manifest == MANIFEST
    assert (opened.folder / "full.onnx").read_bytes() == GRAPH
