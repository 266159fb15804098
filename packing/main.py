"""The command line of build_addon.py."""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from core.errors import ScaleMoGenError
from core.files import make_folder, write_bytes
from launcher import ROOT, SetupError
from launcher.assembly import ensure
from launcher.environment import default_environment
from launcher.main import become

from .archive import archive_problems, zip_bytes
from .contents import encoder_entries, listed_models, project_files
from .manifest import read_manifest
from .validator import validate


def main(argv: Sequence[str]) -> int:
    """Build the zip; return the exit code (2: something the user can put right)."""
    parser = argparse.ArgumentParser(prog="build_addon.py", description=__doc__)
    parser.description = "Build the zip that Blender installs: add-on, engine, weights, encoder."
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="where it goes")
    parser.add_argument("--json", action="store_true", help="print what was built as JSON")
    options = parser.parse_args(argv)
    environment = default_environment()
    try:
        if Path(sys.prefix).resolve() != environment.folder.resolve():
            ensure(environment, None)
            return become(environment, [str(ROOT / "build_addon.py"), *argv])
        report = build(ROOT, options.out, environment.folder)
    except (ScaleMoGenError, SetupError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    except OSError as error:  # a full disk, a file without read permission, and the like
        where = f" ({error.filename})" if error.filename else ""
        words = f"{error.strerror or error}{where}"
        print(f"error: {words}. Put that right and start again.", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\nInterrupted. No zip was written.", file=sys.stderr)
        return 130
    if options.json:
        print(json.dumps(report, indent=2))
    else:
        checked = ", ".join(report["validated_by"])
        print(f"{report['path']}: {report['bytes'] / 1e6:.1f} MB, {report['files']} files")
        print(f"models: {', '.join(report['models'])}; sha256 {report['sha256']}")
        print(
            f"accepted by the validator of {checked}"
            if checked
            else "Blender's own validator is not here; python3 run.py setup gets it."
        )
    return 0


def build(root: Path, out: Path, environment: Path) -> dict[str, Any]:
    """Assemble, check and write ``out/scalemogen-VERSION.zip``; return what was built.

    Raises:
        ScaleMoGenError: something is missing, breaks a rule, or cannot be written.
    """
    from core.text.encoder import find_encoder_folder

    manifest = read_manifest(root / "blender_manifest.toml")
    files = project_files(root)
    entries = encoder_entries(find_encoder_folder("minilm"), root / "assets" / "licences")
    entries |= {name: path.read_bytes() for name, path in files.items()}
    content = zip_bytes(entries)
    problems = archive_problems(content)
    if problems:
        raise ScaleMoGenError(f"The zip would be wrong: {'; '.join(problems)}.")
    name = f"{manifest['id']}-{manifest['version']}.zip"
    with tempfile.TemporaryDirectory() as folder:  # only what the validator accepts gets out
        candidate = Path(folder, name)
        write_bytes(candidate, content)
        validated_by = validate(candidate, environment)
    make_folder(out)
    write_bytes(out / name, content)
    return {
        "path": str(out / name),
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "files": len(entries),
        "models": listed_models(root),
        "validated_by": validated_by,
    }
