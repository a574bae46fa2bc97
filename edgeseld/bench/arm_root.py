"""An aarch64 Python with the runtimes' wheels, made once and kept in the user's cache, and the commands that run it.

Debian's packages are unpacked, not installed, so nothing of another architecture runs while the folder is made.
"""

import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from edgeseld.bench.arm_processor import processor_files
from edgeseld.bench.arm_tools import install_wheels, kept_folder, require_tools, run_tool
from edgeseld.bench.machine import installed_versions
from edgeseld.core.locate import PACKAGE

SUITE = "bookworm"
PACKAGES = ("python3-minimal", "libpython3-stdlib", "libstdc++6")
# What edgeseld.runtime imports; the runtimes come in the versions of this machine, so that the processor alone differs.
LIBRARIES = ("numpy", "msgspec", "safetensors", "soundfile", "soxr")
RUNTIMES = ("onnxruntime", "ai-edge-litert")
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

    def command(self, program: Sequence[str], *, counting: bool = False) -> list[str]:
        """A program of aarch64 and its arguments on the emulated processor."""
        plugin = ["-plugin", f"file={self.folder / 'instructions.so'}"] if counting else []
        return ["qemu-aarch64", "-L", str(self.folder / "system"), "-cpu", PROCESSOR, *plugin, *program]

    @property
    def python(self) -> str:
        """The Python of the emulated processor."""
        return str(self.folder / "system/usr/bin/python3")

    @property
    def python_path(self) -> str:
        """PYTHONPATH of that Python: the wheels and this very edgeseld."""
        return f"{self.folder / 'site'}{os.pathsep}{PACKAGE.parent}"


def open_arm_root() -> ArmRoot:
    """The folder in the user's cache, made where it is not there; BenchError says what to install for that."""
    require_tools("--device arm", TOOLS)
    said = run_tool(["qemu-aarch64", "--version"]).splitlines()[0]
    version = re.search(r"version (\d+)(\.\d+)*", said)
    major = 0 if version is None else int(version.group(1))
    requirements = _requirements()
    recipe = (SUITE, PACKAGES, requirements, processor_files(), major, PLUGIN.read_bytes())
    folder = kept_folder("arm", recipe, lambda made: _make(made, requirements, major))
    return ArmRoot(folder, "qemu-user" if version is None else f"qemu-user {version.group(0).split()[1]}")


def _requirements() -> list[str]:
    here = installed_versions()
    return [*LIBRARIES, *(f"{name}=={here[name]}" for name in RUNTIMES if name in here)]


def _make(folder: Path, requirements: Sequence[str], major: int) -> None:
    system = folder / "system"
    options = ["--variant=extract", "--architectures=arm64", f"--include={','.join(PACKAGES)}", "--quiet"]
    run_tool(["mmdebstrap", *options, SUITE, str(system)])
    for name, content in processor_files().items():
        (system / name).parent.mkdir(parents=True, exist_ok=True)
        (system / name).write_text(content)
    install_wheels(folder / "site", requirements)
    interface = f"-DINTERFACE_VERSION={2 if major >= NEW_INTERFACE else 1}"
    run_tool(["cc", "-O2", "-shared", "-fPIC", interface, "-o", str(folder / "instructions.so"), str(PLUGIN)])
