"""Files appear complete or not at all."""

from pathlib import Path

import pytest

from core.errors import ScaleMoGenError
from core.files import check_writable, replacing, write_bytes


def test_a_file_is_written_and_replaced(tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    for data in (b"one", b"two"):
        write_bytes(path, data)
        assert path.read_bytes() == data
    assert list(tmp_path.iterdir()) == [path]
    assert path.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize(
    ("failure", "seen"),
    [
        (OSError(28, "No space left on device"), ScaleMoGenError),
        (KeyboardInterrupt(), KeyboardInterrupt),
        (ValueError("bug"), ValueError),
    ],
)
def test_a_failure_keeps_the_old_file_and_leaves_nothing_else(tmp_path, failure, seen) -> None:
    path = tmp_path / "a.fbx"
    path.write_bytes(b"old")
    with pytest.raises(seen), replacing(path) as temporary:
        assert temporary.suffix == ".fbx" and temporary.parent == tmp_path
        temporary.write_bytes(b"ne")
        raise failure
    assert path.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_full_disk_is_one_line_with_a_remedy(tmp_path: Path) -> None:
    with (
        pytest.raises(
            ScaleMoGenError, match=r"a\.bvh: No space left on device\. Choose a writable"
        ),
        replacing(tmp_path / "a.bvh"),
    ):
        raise OSError(28, "No space left on device")


def test_targets_are_checked_before_work(tmp_path: Path) -> None:
    check_writable(tmp_path / "a.bvh")
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ScaleMoGenError, match="is a folder"):
        check_writable(tmp_path)
    with pytest.raises(ScaleMoGenError, match="no folder"):
        check_writable(tmp_path / "x" / "a.bvh")
    if Path("/proc").is_dir():  # read-only for everyone, root included
        with pytest.raises(ScaleMoGenError, match="Cannot write"):
            check_writable("/proc/a.bvh")
