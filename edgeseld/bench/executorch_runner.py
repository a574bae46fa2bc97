"""A program for aarch64 that runs .pte files: our executorch_runner.cpp against the libraries of ExecuTorch's wheel.

The wheel holds shared libraries alone, so the program cannot be one static file. Instead its folder holds all that it
loads, the dynamic loader and the compiler's C and C++ libraries included: it runs wherever the folder lies, under
qemu-user as on a phone whose system has other libraries.
"""

import shutil
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from edgeseld.bench.arm_tools import install_wheels, kept_folder, require_tools, run_tool
from edgeseld.core.disk import temporary_folder
from edgeseld.core.errors import BackendMissingError

SOURCE = Path(__file__).parent / "executorch_runner.cpp"
COMPILER = "aarch64-linux-gnu-g++"
TOOLS = {COMPILER: "g++-aarch64-linux-gnu", "pip": "python3-pip"}
# Definitions as in the wheel's executorch-config.cmake. Kernels register themselves: nothing refers to their libraries.
FLAGS = (
    "-std=c++17",
    "-O2",
    "-DC10_USING_CUSTOM_GENERATED_MACROS",
    "-DET_EVENT_TRACER_ENABLED",
    "-Wl,--no-as-needed",
)
INCLUDES = ("include", "include/executorch/runtime/core/portable_type/c10")
LIBRARIES = tuple(
    f"executorch{part}" for part in ("", "_threadpool", "_kernels_optimized", "_kernels_quantized", "_backend_xnnpack")
)
LOADER = "ld-linux-aarch64.so.1"
SYSTEM_FILES = (
    LOADER,
    "libc.so.6",
    "libm.so.6",
    "libdl.so.2",
    "libpthread.so.0",
    "libgcc_s.so.1",
    "libstdc++.so.6",
)
PROGRAM = "executorch_runner"


def open_runner() -> Path:
    """The program's folder in the user's cache, made where it is not there.

    BenchError says what to install for that; BackendMissingError where ExecuTorch, whose version counts, is not here.
    """
    require_tools("ExecuTorch on ARM", TOOLS)
    try:
        requirement = f"executorch=={version('executorch')}"
    except PackageNotFoundError as error:
        raise BackendMissingError("ExecuTorch on ARM", "executorch") from error
    compiler = run_tool([COMPILER, "--version"]).splitlines()[0]
    recipe = (requirement, compiler, FLAGS, INCLUDES, LIBRARIES, SYSTEM_FILES, SOURCE.read_bytes())
    return kept_folder("executorch-runner", recipe, lambda made: _make(made, requirement))


def runner_command(folder: str) -> list[str]:
    """How to call it where its folder lies at `folder`; the arguments of executorch_runner.cpp follow."""
    return [f"{folder}/{LOADER}", "--library-path", folder, f"{folder}/{PROGRAM}"]


def _make(folder: Path, requirement: str) -> None:
    with temporary_folder() as place:
        install_wheels(place, [requirement], "--no-deps")
        package = place / "executorch"
        includes = [argument for name in INCLUDES for argument in ("-isystem", str(package / name))]
        libraries = [f"-L{package / 'lib'}", *(f"-l{name}" for name in LIBRARIES)]
        run_tool([COMPILER, *FLAGS, *includes, str(SOURCE), "-o", str(folder / PROGRAM), *libraries])
        for name in LIBRARIES:
            shutil.copy(package / "lib" / f"lib{name}.so", folder)
    for name in SYSTEM_FILES:
        shutil.copy(run_tool([COMPILER, f"-print-file-name={name}"]).strip(), folder)
