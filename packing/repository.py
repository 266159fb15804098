"""A folder of static files that Blender can use as an extension repository.

Blender reads ``index.json`` (version "v1" of its repository interface), from a web server or from
a folder: https://docs.blender.org/manual/en/latest/advanced/extensions/creating_repository/
Older versions' zips stay, so that a Blender that has read an earlier index still gets what that
index names; the index offers the newest version alone, as Blender expects.
"""

from __future__ import annotations

import hashlib
import html
import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

from core.errors import ScaleMoGenError
from core.files import make_folder, write_bytes

INDEX = "index.json"
PAGE = "index.html"
#: What Blender lists of a manifest, in its own order; the rest concerns building only.
_LISTED = (
    "schema_version",
    "id",
    "name",
    "tagline",
    "version",
    "type",
    "maintainer",
    "license",
    "blender_version_min",
    "blender_version_max",
    "website",
    "copyright",
    "permissions",
    "tags",
    "platforms",
)
_TEMPLATE = Path(__file__).with_name("repository.html")


def publish(folder: Path, manifest: Mapping[str, Any], content: bytes) -> Path:
    """Put an extension's zip into the repository; return the path of the index.

    The zip comes first and the index last, each replaced in one step: whoever reads the folder in
    between, or after an interruption, finds an index whose zip is there. Other extensions in the
    index stay.

    Args:
        folder: the repository; made if missing.
        manifest: the table of the zip's ``blender_manifest.toml``.
        content: the zip.

    Raises:
        ScaleMoGenError: the folder cannot be written, its index is not one, or it already offers
            a newer version.
    """
    make_folder(folder)
    index = _read_index(folder / INDEX)
    entry = index_entry(manifest, content)
    others = []
    for offered in index["data"]:
        if offered["id"] != entry["id"]:
            others.append(offered)
        elif _numbers(offered["version"]) > _numbers(entry["version"]):
            raise ScaleMoGenError(
                f"{folder} already offers {offered['version']}, newer than {entry['version']}, and "
                f"Blender never goes back. Choose another folder, or remove {folder / INDEX}."
            )
    index["data"] = sorted([*others, entry], key=lambda listed: str(listed["id"]))
    write_bytes(folder / f"{entry['id']}-{entry['version']}.zip", content)
    write_bytes(folder / PAGE, page(entry).encode())
    write_bytes(folder / INDEX, (json.dumps(index, indent=2) + "\n").encode())
    return folder / INDEX


def index_entry(manifest: Mapping[str, Any], content: bytes) -> dict[str, Any]:
    """Return what the index says of a zip: its manifest, and where and how large it is."""
    entry = {name: manifest[name] for name in _LISTED if name in manifest}
    return entry | {
        "archive_url": f"./{quote(manifest['id'])}-{quote(manifest['version'])}.zip",
        "archive_size": len(content),
        "archive_hash": f"sha256:{hashlib.sha256(content).hexdigest()}",
    }


def drop_link(entry: Mapping[str, Any]) -> str:
    """Return the link that Blender installs from when it is dragged into its window."""
    query = {"repository": f"./{INDEX}", "blender_version_min": entry["blender_version_min"]}
    if "blender_version_max" in entry:
        query["blender_version_max"] = entry["blender_version_max"]
    return f"{entry['archive_url']}?{urlencode(query)}"


def page(entry: Mapping[str, Any]) -> str:
    """Return the page for people: what is here, and how it gets into Blender."""
    text = _TEMPLATE.read_text(encoding="utf-8")
    words = {
        "name": entry["name"],
        "tagline": entry["tagline"],
        "version": entry["version"],
        "minimum": ".".join(entry["blender_version_min"].split(".")[:2]),
        "licence": ", ".join(name.removeprefix("SPDX:") for name in entry["license"]),
        "megabytes": f"{entry['archive_size'] / 1e6:.0f}",
        "sha256": entry["archive_hash"].removeprefix("sha256:"),
        "drop_link": drop_link(entry),
        "archive": entry["archive_url"],
        "index": INDEX,
    }
    for name, word in words.items():
        text = text.replace(f"{{{{{name}}}}}", html.escape(str(word)))
    return text


def _read_index(path: Path) -> dict[str, Any]:
    """The index that is there, an empty one without it."""
    if not path.exists():
        return {"version": "v1", "blocklist": [], "data": []}
    try:
        index = json.loads(path.read_text(encoding="utf-8"))
        if index["version"] != "v1":
            raise ValueError(f"its version is {index['version']!r}, not 'v1'")
        for entry in index["data"]:
            _numbers(entry["version"])
            entry["id"] + ""
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ScaleMoGenError(
            f"{path} is not the index of an extension repository ({error!r}). "
            "Choose another folder, or remove the file."
        ) from error
    return dict(index)


def _numbers(version: str) -> tuple[int, ...]:
    """Sort key of a version: 1.10.0 is newer than 1.9.2; what follows a "-" or "+" is not read."""
    return tuple(int(part) for part in re.split("[-+]", version)[0].split("."))
