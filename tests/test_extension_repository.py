"""build_addon.py --repository: a folder that Blender installs and updates the add-on from."""

import hashlib
import http.server
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from core.errors import ScaleMoGenError
from launcher.environment import default_environment
from packing import repository
from packing.repository import drop_link, publish
from packing.validator import validator_commands
from tests.packing_fakes import set_version, tiny_checkout, tiny_encoder, zip_of

MANIFEST = {
    "schema_version": "1.0.0",
    "id": "scalemogen",
    "version": "1.9.2",
    "name": "ScaleMoGen",
    "tagline": "Text to <motion>",
    "maintainer": "us",
    "type": "add-on",
    "tags": ["Animation"],
    "blender_version_min": "4.2.0",
    "license": ["SPDX:GPL-3.0-or-later"],
    "permissions": {"files": "Write the exports asked for"},
    "build": {"paths_exclude_pattern": ["/x"]},
}


def index_of(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "index.json").read_text(encoding="utf-8"))


def version_of(folder: Path) -> list[str]:
    return [entry["version"] for entry in index_of(folder)["data"]]


def assert_whole(folder: Path) -> None:
    """Every zip that the index names is there, with the size and hash that it says."""
    for entry in index_of(folder)["data"]:
        content = (folder / entry["archive_url"]).read_bytes()
        assert entry["archive_size"] == len(content)
        assert entry["archive_hash"] == f"sha256:{hashlib.sha256(content).hexdigest()}"


# --- The folder ------------------------------------------------------------------------------


def test_the_index_tells_the_manifest_and_where_the_zip_lies(tmp_path: Path) -> None:
    assert publish(tmp_path / "new" / "folder", MANIFEST, b"zip").name == "index.json"
    index = index_of(tmp_path / "new" / "folder")
    assert (index["version"], index["blocklist"]) == ("v1", [])
    (entry,) = index["data"]
    assert {name: entry[name] for name in MANIFEST if name != "build"} == {
        name: value for name, value in MANIFEST.items() if name != "build"
    }
    assert "build" not in entry
    assert entry["archive_url"] == "./scalemogen-1.9.2.zip"
    assert_whole(tmp_path / "new" / "folder")


def test_a_newer_version_takes_the_entry_and_the_older_zip_stays(tmp_path: Path) -> None:
    publish(tmp_path, MANIFEST, b"old")
    publish(tmp_path, MANIFEST | {"version": "1.10.0"}, b"new")
    assert version_of(tmp_path) == ["1.10.0"]
    assert (tmp_path / "scalemogen-1.9.2.zip").read_bytes() == b"old"
    assert_whole(tmp_path)


def test_the_same_version_again_is_replaced(tmp_path: Path) -> None:
    for content in (b"first", b"second, corrected"):
        publish(tmp_path, MANIFEST, content)
        assert version_of(tmp_path) == ["1.9.2"]
        assert_whole(tmp_path)


def test_an_older_version_does_not_replace_a_newer_one(tmp_path: Path) -> None:
    publish(tmp_path, MANIFEST | {"version": "1.10.0"}, b"new")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(ScaleMoGenError, match=r"already offers 1\.10\.0, newer than 1\.9\.2"):
        publish(tmp_path, MANIFEST, b"old")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_other_extensions_of_the_repository_stay(tmp_path: Path) -> None:
    publish(tmp_path, MANIFEST | {"id": "other", "version": "3.0.0"}, b"other")
    publish(tmp_path, MANIFEST, b"ours")
    assert [entry["id"] for entry in index_of(tmp_path)["data"]] == ["other", "scalemogen"]
    assert_whole(tmp_path)


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"version": "v2", "data": []}', '{"version": "v1", "data": [{}]}']
)
def test_a_file_that_is_no_index_is_left_alone(tmp_path: Path, text: str) -> None:
    (tmp_path / "index.json").write_text(text)
    with pytest.raises(ScaleMoGenError, match="not the index of an extension repository"):
        publish(tmp_path, MANIFEST, b"zip")
    assert [path.name for path in tmp_path.iterdir()] == ["index.json"]
    assert (tmp_path / "index.json").read_text() == text


@pytest.mark.parametrize("broken", [0, 1, 2])
def test_wherever_it_is_interrupted_the_index_names_a_zip_that_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: int
) -> None:
    publish(tmp_path, MANIFEST, b"old")
    writes = []

    def write(path: Path, content: bytes) -> None:
        if len(writes) == broken:
            raise ScaleMoGenError("The disk is full.")
        writes.append(path)
        path.write_bytes(content)

    monkeypatch.setattr(repository, "write_bytes", write)
    with pytest.raises(ScaleMoGenError, match="disk is full"):
        publish(tmp_path, MANIFEST | {"version": "2.0.0"}, b"new")
    assert len(writes) == broken
    assert version_of(tmp_path) == ["1.9.2"]
    assert_whole(tmp_path)


def test_the_page_offers_a_link_to_drag_and_is_safe(tmp_path: Path) -> None:
    publish(tmp_path, MANIFEST, b"zip")
    page = (tmp_path / "index.html").read_text(encoding="utf-8")
    (link,) = re.findall(r'class="drop" href="([^"]+)"', page)
    wanted = "./scalemogen-1.9.2.zip?repository=.%2Findex.json&blender_version_min=4.2.0"
    assert link.replace("&amp;", "&") == wanted == drop_link(index_of(tmp_path)["data"][0])
    assert "Text to &lt;motion&gt;" in page
    assert "Blender 4.2 or later" in page
    assert "{{" not in page


# --- Blender's own judgement -----------------------------------------------------------------


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    return tiny_checkout(tmp_path / "checkout")


@pytest.fixture
def offer(checkout: Path, tmp_path: Path) -> Callable[[str], Path]:
    """``offer(version)`` puts that version of the add-on into a repository; returns its index."""
    encoder = tiny_encoder(tmp_path / "encoder")

    def offer(version: str) -> Path:
        import tomllib

        root = tmp_path / f"checkout {version}"
        shutil.copytree(checkout, root)
        set_version(root, version)
        manifest = tomllib.loads((root / "blender_manifest.toml").read_text(encoding="utf-8"))
        return publish(tmp_path / "repository, ours", manifest, zip_of(root, encoder))

    return offer


@pytest.mark.blender
def test_blender_would_have_made_the_same_index(
    offer: Callable[[str], Path], tmp_path: Path
) -> None:
    index = offer("0.8.0")
    validators = validator_commands(default_environment().folder)
    scripts = [command for command in validators.values() if command[0] == sys.executable]
    if not scripts:
        pytest.skip("no bpy here: start the tests with python3 run.py test")
    for number, (python, script, *_) in enumerate(scripts):
        folder = tmp_path / str(number)
        folder.mkdir()
        shutil.copy(index.with_name("scalemogen-0.8.0.zip"), folder)
        subprocess.run([python, script, "server-generate", "--repo-dir", folder], check=True)
        assert index_of(folder) == index_of(index.parent)


IN_BLENDER = """
import sys
import bpy

address, act = sys.argv[2:]
preferences = bpy.context.preferences
preferences.system.use_online_access = True  # Blender asks for it, for file:// too
repositories = preferences.extensions.repos
name = "scalemogen_repository"
# Again for the update: Blender as a module starts without the settings it left.
repositories.new(name="ScaleMoGen", module=name, remote_url=address)
if act == "update":
    bpy.ops.preferences.addon_enable(module=f"bl_ext.{name}.scalemogen")
    print("before", sys.modules[f"bl_ext.{name}.scalemogen._core"].VERSION)
number = [repository.module for repository in repositories].index(name)
assert bpy.ops.extensions.repo_sync(repo_index=number) == {"FINISHED"}

from bl_pkg import repo_cache_store_ensure
directory = repositories[number].directory
store = repo_cache_store_ensure()
store.refresh_remote_from_directory(directory=directory, error_fn=print, force=True)
(offered,) = store.pkg_manifest_from_remote_ensure(error_fn=print, directory_subset={directory})
print("offered", offered["scalemogen"].version)
if act == "install":
    assert bpy.ops.extensions.package_install(
        repo_index=number, pkg_id="scalemogen", enable_on_install=True
    ) == {"FINISHED"}
else:
    bpy.ops.extensions.package_upgrade_all()
module = sys.modules[f"bl_ext.{name}.scalemogen"]
assert hasattr(bpy.types.Scene, "scalemogen")
print("installed", sys.modules[module.__name__ + "._core"].VERSION)
"""


@pytest.fixture
def web_address(tmp_path: Path) -> Iterator[str]:
    """The repository, served on this machine."""

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            pass

    folder = tmp_path / "repository, ours"
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), partial(Quiet, directory=str(folder))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/index.json"
    server.shutdown()
    server.server_close()


@pytest.mark.blender
@pytest.mark.slow
@pytest.mark.parametrize("how", ["file", "http"])
def test_blender_installs_from_it_and_gets_an_update(
    how: str, offer: Callable[[str], Path], web_address: str, run_in_blender: Callable[..., str]
) -> None:
    index = offer("0.8.0")
    address = index.as_uri() if how == "file" else web_address
    output = run_in_blender(IN_BLENDER, address, "install")
    assert "offered 0.8.0" in output
    assert "installed 0.8.0" in output
    offer("0.10.0")
    output = run_in_blender(IN_BLENDER, address, "update")
    assert "before 0.8.0" in output
    assert "offered 0.10.0" in output
    assert "installed 0.10.0" in output
