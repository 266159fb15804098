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
from .repository import publish
from .validator import validate


def main(argv: Sequence[str]) -> int:
    """Build the zip; return the exit code (2: something the user can put right)."""
    parser = argparse.ArgumentParser(prog="build_addon.py", description=__doc__)
    parser.description = "Build the zip that Blender installs: add-on, engine, weights, encoder."
    parser.add_argument("--out", type=Path, metavar="DIR", help="where the zip goes")
    parser.add_argument(
        "--repository",
        type=Path,
        metavar="DIR",
        help="an extension repository to put it into: static files that Blender installs and "
        "updates from; made if missing",
    )
    parser.add_argument("--json", action="store_true", help="print what was built as JSON")
    options = parser.parse_args(argv)
    if options.out is None and options.repository is None:
        parser.error("say where the zip goes: --out DIR, --repository DIR, or both")
    environment = default_environment()
    try:
        if Path(sys.prefix).resolve() != environment.folder.resolve():
            ensure(environment, None)
            return become(environment, [str(ROOT / "build_addon.py"), *argv])
        report = build(ROOT, options.out, environment.folder, options.repository)
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
        _tell(report)
    return 0


def _tell(report: dict[str, Any]) -> None:
    checked = ", ".join(report["validated_by"])
    print(f"{report['path']}: {report['bytes'] / 1e6:.1f} MB, {report['files']} files")
    print(f"models: {', '.join(report['models'])}; sha256 {report['sha256']}")
    print(
        f"accepted by the validator of {checked}"
        if checked
        else "Blender's own validator is not here; python3 run.py setup gets it."
    )
    if report["repository"]:
        address = Path(report["repository"]).absolute().as_uri()
        print(f"repository: add {address} in Blender, or put the folder onto a web server")


def build(
    root: Path, out: Path | None, environment: Path, repository: Path | None = None
) -> dict[str, Any]:
    """Assemble, check and write ``scalemogen-VERSION.zip``; return what was built.

    Args:
        root: the checkout.
        out: folder of the zip; None writes it into the repository only.
        environment: the virtual environment, for Blender's own validator.
        repository: extension repository that shall offer it, see :func:`.repository.publish`.

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
    index = publish(repository, manifest, content) if repository is not None else None
    if out is not None:
        make_folder(out)
        write_bytes(out / name, content)
    where = out if out is not None else repository
    assert where is not None, "a zip that goes nowhere"
    return {
        "path": str(where / name),
        "repository": str(index) if index is not None else None,
        "bytes": len(content),
        "sha256": hashlib.sha256(content).hexdigest(),
        "files": len(entries),
        "models": listed_models(root),
        "validated_by": validated_by,
    }
