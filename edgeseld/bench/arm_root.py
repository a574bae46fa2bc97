"""An aarch64 Python with the runtimes' wheels, made once and kept in the user's cache, and the commands that run it.

Debian's packages are unpacked, not installed, so nothing of another architecture runs while the folder is made.
"""

import hashlib
import os
import re
import shutil
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseld.bench.arm_processor import processor_files
from edgeseld.bench.machine import installed_versions
from edgeseld.bench.report import BenchError
from edgeseld.core.atomic import atomic_folder
from edgeseld.core.locate import PACKAGE

SUITE, PYTHON_VERSION = "bookworm", "3.11"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
# What edgeseld.runtime imports; the runtimes come in the versions of this machine, so that the processor alone differs.
LIBRARIES = ("numpy", "msgspec", "safetensors", "soundfile", "soxr")
RUNTIMES = ("onnxruntime", "ai-edge-litert")
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")
# A big core of phones since 2019, with dot products and half precision.
PROCESSOR = "cortex-a76"
TOOLS = {"qemu-aarch64": "qemu-user", "mmdebstrap": "mmdebstrap", "cc": "gcc", "pip": "python3-pip"}
# qemu 9 refuses plugins of version 1.
NEW_INTERFACE = 9
PLUGIN = Path(__file__).parent / "instructions.c"


@dataclass(frozen=True, slots=True)
class ArmRoot:
    """The folder with everything that the emulated processor needs."""

    folder: Path
    emulator: str

    def command(self, *, counting: bool = False) -> list[str]:
        """Python on the emulated processor, to be followed by its arguments."""
        plugin = ["-plugin", f"file={self.folder / 'instructions.so'}"] if counting else []
        system = self.folder / "system"
        python = str(system / "usr/bin/python3")
        return ["qemu-aarch64", "-L", str(system), "-cpu", PROCESSOR, *plugin, python]

    @property
    def python_path(self) -> str:
        """PYTHONPATH of the emulated Python: the wheels and this very edgeseld."""
        return f"{self.folder / 'site'}{os.pathsep}{PACKAGE.parent}"


def open_arm_root() -> ArmRoot:
    """The folder in the user's cache, made where it is not there; BenchError says what to install for that."""
    for tool, package in TOOLS.items():
        if shutil.which(tool) is None:
            raise BenchError(f"--device arm needs {tool}: apt-get install {package}")
    said = _run(["qemu-aarch64", "--version"]).splitlines()[0]
    version = re.search(r"version (\d+)(\.\d+)*", said)
    major = 0 if version is None else int(version.group(1))
    requirements = _requirements()
    recipe = repr((SUITE, PACKAGES, requirements, processor_files(), major, PLUGIN.read_bytes()))
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = cache / "edgeseld" / f"arm-{hashlib.sha256(recipe.encode()).hexdigest()[:12]}"
    if not folder.exists():
        with atomic_folder(folder) as made:
            _make(made, requirements, major)
    return ArmRoot(folder, "qemu-user" if version is None else f"qemu-user {version.group(0).split()[1]}")


def _requirements() -> list[str]:
    here = installed_versions()
    return [*LIBRARIES, *(f"{name}=={here[name]}" for name in RUNTIMES if name in here)]


def _make(folder: Path, requirements: Sequence[str], major: int) -> None:
    system, site = folder / "system", folder / "site"
    options = ["--variant=extract", "--architectures=arm64", f"--include={','.join(PACKAGES)}", "--quiet"]
    _run(["mmdebstrap", *options, SUITE, str(system)])
    for name, content in processor_files().items():
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        (system / name).write_text(content)
    platforms = [f"--platform={name}" for name in PLATFORMS]
    options = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", f"--python-version={PYTHON_VERSION}"]
    _run(["pip", "install", *options, *platforms, f"--target={site}", *requirements])
    interface = f"-DINTERFACE_VERSION={2 if major >= NEW_INTERFACE else 1}"
    _run(["cc", "-O2", "-shared", "-fPIC", interface, "-o", str(folder / "instructions.so"), str(PLUGIN)])


def _run(command: Sequence[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise BenchError(f"the aarch64 folder could not be made, {command[0]} said: {last}; mend that and run it again")
    return done.stdout
