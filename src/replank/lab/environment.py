"""Where a trial ran: what a reader needs to judge its numbers, and nothing that says whose machine it was.

No host name, user name or absolute path is recorded, and only those environment variables that change numbers or speed.
"""

from __future__ import annotations

import importlib.metadata
import os
import platform
import re
import subprocess
from functools import cache
from pathlib import Path
from typing import Any

import psutil
import threadpoolctl
import torch

from replank._version import __version__
from replank.circuits import core

VARIABLES = (
    "ATEN_CPU_CAPABILITY",
    "CUBLAS_WORKSPACE_CONFIG",
    "CUDA_VISIBLE_DEVICES",
    "KMP_AFFINITY",
    "MKL_NUM_THREADS",
    "OMP_NUM_THREADS",
    "OMP_PROC_BIND",
    "OPENBLAS_NUM_THREADS",
    "PYTHONHASHSEED",
    "REPLANK_ISA",
    "REPLANK_NO_CORE",
)
"""The environment variables that are recorded: they change numbers or speed. Others may hold secrets."""


def environment() -> dict[str, Any]:
    """Versions, hardware and settings of this process, ready for JSON.

    Threads and torch's flags are read at the call; what can't change while the process lives is read once.
    """
    return _fixed() | {
        "core": core.isa() if core.available() else f"none: {core.why_not()}",
        "torch": _torch_settings(),
        "variables": {name: os.environ[name] for name in VARIABLES if name in os.environ},
    }


@cache
def _fixed() -> dict[str, Any]:
    return {
        "replank": {"version": __version__, **_revision(Path(__file__))},
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "os": {"system": platform.system(), "release": platform.release(), "machine": platform.machine()},
        "cpu": {
            "model": _cpu_model(),
            "physical_cores": psutil.cpu_count(logical=False),
            "logical_cores": psutil.cpu_count(),
            "capability": torch.backends.cpu.get_cpu_capability(),
        },
        "gpu": _gpus(),
        "packages": _packages(),
    }


def _packages() -> dict[str, str]:
    """Versions of what replank says it needs, as far as it is installed."""
    try:
        needs = importlib.metadata.requires("replank") or []
    except importlib.metadata.PackageNotFoundError:  # run from a source tree
        needs = []
    versions = {}
    for name in sorted({re.split(r"[^\w.-]", need)[0] for need in needs} | {"numpy", "torch"}):
        try:
            versions[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue  # an extra that is not installed
    return versions


def _torch_settings() -> dict[str, Any]:
    backends: Any = torch.backends  # which has no types
    return {
        "threads": torch.get_num_threads(),
        "interop_threads": torch.get_num_interop_threads(),
        "default_dtype": str(torch.get_default_dtype()),
        "deterministic_algorithms": torch.are_deterministic_algorithms_enabled(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
        "cudnn": {
            "version": backends.cudnn.version(),
            "deterministic": backends.cudnn.deterministic,
            "benchmark": backends.cudnn.benchmark,
        },
        "mkl": backends.mkl.is_available(),
        "mkldnn": backends.mkldnn.is_available(),
        "openmp": backends.openmp.is_available(),
        "blas": sorted(
            {
                f"{pool['internal_api']} {pool['version']}"
                for pool in threadpoolctl.threadpool_info()
                if pool["user_api"] == "blas"
            }
        ),
    }


def _gpus() -> list[dict[str, str | None]]:
    if not torch.cuda.is_available():
        return []
    driver = (_output("nvidia-smi", "--query-gpu=driver_version", "--format=csv,noheader") or "").split()
    return [
        {
            "name": torch.cuda.get_device_name(number),
            "cuda": torch.version.cuda,
            "driver": driver[0] if driver else None,
        }
        for number in range(torch.cuda.device_count())
    ]


def _cpu_model() -> str:
    listing = Path("/proc/cpuinfo")
    if listing.exists():
        found = re.search(r"^model name\s*:\s*(.+)$", listing.read_text(), re.MULTILINE)
        return found[1] if found else platform.processor()
    return _output("sysctl", "-n", "machdep.cpu.brand_string") or platform.processor()


def _revision(file: Path) -> dict[str, Any]:
    """Git revision of a file and whether its work tree has changes; nothing if git does not track the file.

    A virtual environment may lie inside somebody's project: that project's revision says nothing about us.
    """
    git = ("git", "-C", str(file.parent))
    if _output(*git, "ls-files", "--error-unmatch", file.name) is None:
        return {}
    changes = _output(*git, "status", "--porcelain", "--untracked-files=no")
    return {"revision": _output(*git, "rev-parse", "HEAD"), "dirty": bool(changes)}


def _output(*command: str) -> str | None:
    """What a program prints, or ``None`` if it is missing or fails."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True)
    except (OSError, subprocess.SubprocessError):
        return None
    return done.stdout.strip()
