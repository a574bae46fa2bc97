"""ExecuTorch by our own runner: its command line and output, on a made-up phone, and compiled under emulation."""

import shlex
import shutil
import subprocess
from pathlib import Path

import msgspec
import numpy as np
import pytest

from edgeseld.bench import executorch_runner
from edgeseld.bench.arm import bench_arm
from edgeseld.bench.executorch_runner import open_runner, runner_command
from edgeseld.bench.report import BenchError
from edgeseld.bench.runner_backend import OUTPUT, Call, RunnerBackend
from edgeseld.bench.runner_phone import FOLDER, RUNS, WARM_UPS, benchmark_by_runner
from edgeseld.cli import main
from edgeseld.core.errors import BackendMissingError
from edgeseld.core.manifest import Role
from edgeseld.runtime.backends.onnx import OnnxBackend
from edgeseld.runtime.bundle import Bundle, open_bundle
from tests.bench.conftest import quiet
from tests.bench.phone import Connect, Phone
from tests.tiny import make_bundle, make_model

compiled = pytest.mark.skipif(
    any(shutil.which(tool) is None for tool in ("qemu-aarch64", "mmdebstrap", executorch_runner.COMPILER)),
    reason="needs emulation: apt-get install qemu-user mmdebstrap g++-aarch64-linux-gnu",
)


@pytest.fixture
def bundle(small_bundle: Path) -> Bundle:
    """The hand-written bundle as if it were for ExecuTorch; an ONNX backend stands in for the runner."""
    opened = open_bundle(small_bundle)
    graphs = {role: msgspec.structs.replace(graph, entry=role) for role, graph in opened.manifest.graphs.items()}
    return Bundle(opened.folder, msgspec.structs.replace(opened.manifest, target="executorch", graphs=graphs))


@pytest.fixture
def runner(tmp_path: Path) -> Path:
    """A folder with something to push."""
    folder = tmp_path / "runner"
    folder.mkdir()
    for word in ("ld-linux-aarch64.so.1", "executorch_runner", "libexecutorch.so"):
        (folder / word).write_bytes(word.encode())
    return folder


class RunnerPhone(Phone):
    """A phone where ONNX Runtime carries out the runner's command line, `full` with outputs too high by `error`."""

    def __init__(self, bundle: Bundle, error: float = 0.0) -> None:
        super().__init__(326, 341)
        self.backend, self.error, self.abi = OnnxBackend(bundle), error, "arm64-v8a"

    def __call__(self, command: str, files: dict[str, bytes]) -> bytes | None:
        if "getprop" in command:
            return f"{self.abi}\nedgeseld-exit:0\n".encode()
        if "--library-path" not in command:
            return super().__call__(command, files)
        if f"{FOLDER}/runner/executorch_runner" not in files:
            return b"not found\nedgeseld-exit:127\n"
        words = shlex.split(command.partition(")")[0])
        program, method, _, runs, output, *inputs = words[words.index(f"{FOLDER}/runner/executorch_runner") + 1 :]
        role: Role = next(role for role in self.backend.bundle.manifest.graphs if role == method)
        graph = self.backend.bundle.graph(role)
        assert files[program] == (self.backend.bundle.folder / graph.file).read_bytes()
        arrays = [
            np.frombuffer(files[name], np.float32).reshape(spec.shape)
            for name, spec in zip(inputs, graph.inputs, strict=True)
        ]
        outputs = self.backend.run(role, arrays)
        error = np.float32(self.error if role == "full" else 0.0)
        files[output] = b"".join((array + error).tobytes() for array in outputs)
        times = [9.0, 8.0, 7.0, *range(1, int(runs) - 2)]
        said = (
            "I 00:00 executorch:threadpool.cpp:66] Resetting threadpool\n" + f'{{"load_ms": 2.5, "runs_ms": {times}}}\n'
        )
        return f"{said}edgeseld-exit:0\n".encode()


def test_the_command_line_names_the_loader_of_its_own_folder() -> None:
    call = Call("model.pte", "full", 2, 20, ("input0.raw",))
    assert shlex.join(call.command("/r", "/b", "/c")) == (
        "/r/ld-linux-aarch64.so.1 --library-path /r /r/executorch_runner "
        f"/b/model.pte full 2 20 /c/{OUTPUT} /c/input0.raw"
    )


def test_a_phone_is_held_to_the_golden_vectors_before_it_is_timed(
    connect: Connect, bundle: Bundle, runner: Path
) -> None:
    device, daemon = connect(RunnerPhone(bundle))
    timing = benchmark_by_runner(device, runner, bundle, 2, "f0")
    assert (timing.verified, timing.failures, timing.changed_frames) == (True, (), 0.0)
    assert timing.raw_max < 1e-5
    # Three runs of warming up are left out of 1, 2, ..., 20.
    assert (timing.graph.min_ms, timing.graph.median_ms, timing.graph.max_ms) == pytest.approx((1.0, 10.5, 20.0))
    assert (timing.load_ms, timing.first_ms, timing.runs) == (2.5, 9.0, RUNS)
    assert (timing.before.battery_c, timing.after.battery_c) == (32.6, 34.1)
    calls = [command for command in daemon.commands if "--library-path" in command]
    assert all(command.startswith(f"(taskset f0 {FOLDER}/runner/ld-linux-aarch64.so.1 ") for command in calls)
    assert f"full 2 {WARM_UPS + RUNS} " in calls[-1]
    # Every graph was held to its golden vectors.
    assert {shlex.split(command.partition(")")[0])[7] for command in calls} == set(bundle.manifest.graphs)
    assert daemon.files[f"{FOLDER}/runner/libexecutorch.so"] == b"libexecutorch.so"
    assert f"rm -rf {FOLDER}" in daemon.commands[-1]


def test_a_phone_that_computes_something_else_is_not_verified(connect: Connect, bundle: Bundle, runner: Path) -> None:
    device, _ = connect(RunnerPhone(bundle, error=0.25))
    timing = benchmark_by_runner(device, runner, bundle, 1)
    assert not timing.verified
    assert timing.raw_max == pytest.approx(0.25, abs=1e-5)
    assert any(failure.startswith("raw_max 0.25 is above") for failure in timing.failures)


def test_what_the_runner_says_reaches_the_user(connect: Connect, bundle: Bundle, runner: Path) -> None:
    phone = RunnerPhone(bundle)
    device, _ = connect(phone)
    phone.abi = "x86_64"
    with pytest.raises(BenchError, match=r"the runner is for arm64-v8a, .* is x86_64: use another phone"):
        benchmark_by_runner(device, runner, bundle, 1)
    phone.abi = "arm64-v8a"
    (runner / "executorch_runner").unlink()
    with pytest.raises(BenchError, match=r"ld-linux-aarch64.so.1 failed on .* with code 127: not found"):
        benchmark_by_runner(device, runner, bundle, 1)
    other = Bundle(bundle.folder, msgspec.structs.replace(bundle.manifest, target="onnx"))
    with pytest.raises(BenchError, match=r"takes ExecuTorch bundles, small-onnx-fp32 is onnx: leave it out"):
        benchmark_by_runner(device, runner, other, 1)


class Saying:
    """A place that answers the same to every call."""

    def __init__(self, words: str, outputs: bytes) -> None:
        self.words, self.outputs = words, outputs

    def execute(self, call: Call, folder: Path) -> str:
        (folder / OUTPUT).write_bytes(self.outputs)
        return self.words


def test_outputs_and_times_that_make_no_sense_are_refused(bundle: Bundle) -> None:
    scene = np.zeros(bundle.graph("full").inputs[0].shape, np.float32)
    size = sum(4 * int(np.prod(spec.shape)) for spec in bundle.graph("full").outputs)
    with pytest.raises(BenchError, match=f"must hold {size} bytes by its manifest, the runner wrote 3"):
        RunnerBackend(bundle, Saying('{"load_ms": 1.0, "runs_ms": [1.0]}', b"abc")).run("full", [scene])
    with pytest.raises(BenchError, match="gave no times of small-executorch-fp32, but 'Killed'"):
        RunnerBackend(bundle, Saying("Killed", bytes(size))).run("full", [scene])


def test_a_missing_compiler_or_runtime_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(shutil, "which", lambda name: None)
        with pytest.raises(BenchError, match=r"needs aarch64-linux-gnu-g\+\+: apt-get install g\+\+-aarch64-linux-gnu"):
            open_runner()

    def absent(name: str) -> str:
        raise executorch_runner.PackageNotFoundError(name)

    monkeypatch.setattr(shutil, "which", lambda name: name)
    monkeypatch.setattr(executorch_runner, "version", absent)
    with pytest.raises(BackendMissingError, match=r"pip install 'edgeseld\[executorch\]'"):
        open_runner()


def test_executorch_and_other_bundles_need_calls_of_their_own(
    small_bundle: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from tests.bench.test_arm import retarget

    shutil.copytree(small_bundle, tmp_path / "b.seld")
    retarget(tmp_path / "b.seld", "executorch")
    for arguments in ([str(small_bundle)], ["--benchmark-model", __file__]):
        with pytest.raises(SystemExit) as ended:
            main(["bench", str(tmp_path / "b.seld"), "--device", "adb", *arguments])
        assert ended.value.code == 2
        assert "ExecuTorch bundles run apart from others" in capsys.readouterr().err


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real .pte with the graphs of a causal model, its single steps among them."""
    return make_bundle(make_model(tmp_path_factory.mktemp("tiny")), "executorch", tmp_path_factory.mktemp("bundles"))


class QemuPhone(Phone):
    """A phone whose shell is this machine's, its programs for aarch64 under qemu-user."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        self.folder, self.executable = folder, set[str]()

    def __call__(self, command: str, files: dict[str, bytes]) -> bytes | None:
        if "getprop" in command:
            return b"arm64-v8a\nedgeseld-exit:0\n"
        words = shlex.split(command.partition(")")[0].removeprefix("("))
        if words[0] == "chmod":
            self.executable.update(words[2:])
        if "--library-path" not in command:
            return super().__call__(command, files)
        for name, content in files.items():
            (self.folder / name[1:]).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / name[1:]).write_bytes(content)
            (self.folder / name[1:]).chmod(0o755 if name in self.executable else 0o644)
        moved = [f"{self.folder}{word}" if word.startswith("/") else word for word in words]
        done = subprocess.run(["qemu-aarch64", "-cpu", "cortex-a76", *moved], capture_output=True, text=True)
        if done.returncode == 0:
            output = next(word for word in words if word.endswith(OUTPUT))
            files[output] = (self.folder / output[1:]).read_bytes()
        return f"{done.stderr}{done.stdout}edgeseld-exit:{done.returncode}\n".encode()


@pytest.mark.slow
@pytest.mark.export
@compiled
def test_the_compiled_runner_hears_the_same_at_a_cost(tiny: Path) -> None:
    (row,) = bench_arm([tiny], quiet).rows
    assert row.verified
    assert row.changed_frames == 0.0
    assert row.snr_db is None or row.snr_db > 100.0
    assert row.instructions > 10_000


@pytest.mark.slow
@pytest.mark.export
@compiled
def test_the_very_folder_that_is_pushed_runs(connect: Connect, tiny: Path, tmp_path: Path) -> None:
    device, _ = connect(QemuPhone(tmp_path))
    timing = benchmark_by_runner(device, open_runner(), open_bundle(tiny), 2)
    assert timing.verified
    assert timing.graph.min_ms > 0.0


@pytest.mark.slow
@pytest.mark.export
@compiled
def test_the_compiled_runner_says_what_is_wrong(tiny: Path, tmp_path: Path) -> None:
    program = open_bundle(tiny).folder / open_bundle(tiny).graph("full").file
    (tmp_path / "short").write_bytes(b"abc")

    def said(*arguments: str) -> str:
        command = ["qemu-aarch64", *runner_command(str(open_runner())), *arguments]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 1
        return done.stderr.strip().rpartition("\n")[2]

    short = [str(tmp_path / name) for name in ("out", "short")]
    assert said().startswith("usage: ")
    assert "loading full of absent.pte: ExecuTorch error" in said("absent.pte", "full", "1", "1", *short)
    assert "loading nothing of " in said(str(program), "nothing", "1", "1", *short)
    assert "short must hold " in said(str(program), "full", "1", "1", *short)
    assert said(str(program), "full", "1", "1", short[0]) == "full takes 1 inputs, got 0"
