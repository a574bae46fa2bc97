"""Folders with programs for aarch64: made once, kept in the user's cache under a hash of their recipe."""

import hashlib
import shutil
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from edgeseld.bench.report import BenchError
from edgeseld.core.atomic import atomic_folder
from edgeseld.core.cache import cache_root

PYTHON_VERSION = "3.11"
PLATFORMS = ("manylinux_2_28_aarch64", "manylinux_2_27_aarch64", "manylinux2014_aarch64")


def require_tools(purpose: str, tools: Mapping[str, str]) -> None:
    """BenchError where a tool is missing; `tools` names the Debian package of each."""
    for tool, package in tools.items():
        if shutil.which(tool) is None:
            raise BenchError(f"{purpose} needs {tool}: apt-get install {package}")


def kept_folder(kind: str, recipe: tuple[object, ...], make: Callable[[Path], None]) -> Path:
    """The folder of this recipe; `make` fills an empty one where it is not there, or nothing is kept."""
    folder = cache_root() / f"{kind}-{hashlib.sha256(repr(recipe).encode()).hexdigest()[:12]}"
    if not folder.exists():
        with atomic_folder(folder) as made:
            make(made)
    return folder


def install_wheels(folder: Path, requirements: Sequence[str], *options: str) -> None:
    """Unpack aarch64 wheels of these requirements."""
    platforms = [f"--platform={name}" for name in PLATFORMS]
    quiet = ["--quiet", "--disable-pip-version-check", "--only-binary=:all:", f"--python-version={PYTHON_VERSION}"]
    run_tool(["pip", "install", *quiet, *options, *platforms, f"--target={folder}", *requirements])


def run_tool(command: Sequence[str]) -> str:
    """What it prints; BenchError with the last line of what it says where it fails."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        last = (done.stderr or done.stdout).strip().rpartition("\n")[2]
        raise BenchError(f"the aarch64 folder could not be made, {command[0]} said: {last}; mend that and run it again")
    return done.stdout
