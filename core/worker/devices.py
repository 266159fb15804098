"""What this machine can compute on."""

from __future__ import annotations

import os
import platform
import subprocess
import sys
from pathlib import Path
from typing import Any

_MEGABYTE = 1_000_000


def found_devices() -> list[dict[str, Any]]:
    """``id``, ``name`` and ``memory_mb`` (or None) of every device, best first; imports torch."""
    import torch

    devices: list[dict[str, Any]] = []
    if torch.cuda.is_available():
        for index in range(torch.cuda.device_count()):
            about = torch.cuda.get_device_properties(index)
            devices.append(_device(f"cuda:{index}", about.name, about.total_memory))
    if torch.backends.mps.is_available():
        devices.append(_device("mps", "Apple GPU", torch.mps.recommended_max_memory()))
    devices.append(_device("cpu", processor_name(), memory_bytes()))
    return devices


def _device(name: str, title: str, memory: int | None) -> dict[str, Any]:
    return {
        "id": name,
        "name": title,
        "memory_mb": None if memory is None else round(memory / _MEGABYTE),
    }


def processor_name() -> str:
    """The processor as its maker calls it, or at least its architecture."""
    return _processor_name() or platform.processor() or platform.machine() or "processor"


def _processor_name() -> str | None:
    try:
        if sys.platform == "win32":
            import winreg

            key = r"HARDWARE\DESCRIPTION\System\CentralProcessor\0"
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                return str(winreg.QueryValueEx(opened, "ProcessorNameString")[0]).strip()
        if sys.platform == "darwin":
            command = ["/usr/sbin/sysctl", "-n", "machdep.cpu.brand_string"]
            return subprocess.check_output(command, text=True, timeout=5).strip()
        for line in Path("/proc/cpuinfo").read_text(errors="replace").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    except (OSError, subprocess.SubprocessError):
        pass
    return None


def memory_bytes() -> int | None:
    """The machine's main memory, None where it cannot be found out."""
    if sys.platform == "win32":
        import ctypes

        class Status(ctypes.Structure):
            _fields_ = (
                ("length", ctypes.c_ulong),
                ("load", ctypes.c_ulong),
                ("total", ctypes.c_ulonglong),
                ("others", ctypes.c_ulonglong * 6),
            )

        status = Status(length=ctypes.sizeof(Status))
        told = ctypes.windll.kernel32.GlobalMemoryStatusEx(ctypes.byref(status))
        return status.total if told else None
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError):
        return None
