"""Biovision Hierarchy (.bvh) files: any hierarchy in, the canonical joint names out; numpy only.

A file holds an indented joint tree with offsets and channel lists, then one line of channel values
per frame, angles in degrees.  Our own files are in centimetres, Y up, facing +Z, with ZXY angles.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .coordinates import centimetres_to_metres, metres_to_centimetres
from .errors import ScaleMoGenError
from .files import write_bytes
from .motion import Motion
from .rotations import (
    continuous_euler,
    euler_to_quaternion,
    quaternion_multiply,
    quaternion_rotate,
    quaternion_to_matrix,
)
from .skeleton import canonical

ORDER = "ZXY"
#: Frame rates that a motion may have; anything else is a damaged number.
SLOWEST_FPS, FASTEST_FPS = 1.0, 1000.0

#: How far beyond the last joint a bone reaches (metres), so that viewers draw head, hands and toes.
_END_SITES = {
    "left_foot": (0.0, 0.0, 0.08),
    "right_foot": (0.0, 0.0, 0.08),
    "head": (0.0, 0.18, 0.0),
    "left_wrist": (0.16, 0.0, 0.0),
    "right_wrist": (-0.16, 0.0, 0.0),
}


@dataclass(frozen=True)
class BvhClip:
    """What a file says, in the file's own units and axes.

    offsets: [J, 3] rest offset from the parent.  end_sites: offset of the End Site of a joint.
    rotations: [T, J, 4] local unit quaternions.  translations: [T, J, 3] from the parent: the
    position channels where a joint has them, else its offset.
    """

    joint_names: tuple[str, ...]
    parents: tuple[int, ...]
    offsets: np.ndarray
    end_sites: dict[int, np.ndarray]
    rotations: np.ndarray
    translations: np.ndarray
    fps: float

    def globals(self) -> tuple[np.ndarray, np.ndarray]:
        """Global rotations [T, J, 4] and joint positions [T, J, 3]."""
        rotations, positions = np.empty_like(self.rotations), np.empty_like(self.translations)
        for joint, parent in enumerate(self.parents):
            turn, offset = self.rotations[:, joint], self.translations[:, joint]
            if parent < 0:
                rotations[:, joint], positions[:, joint] = turn, offset
            else:
                above = rotations[:, parent]
                rotations[:, joint] = quaternion_multiply(above, turn)
                positions[:, joint] = positions[:, parent] + quaternion_rotate(above, offset)
        return rotations, positions


# --- reading -------------------------------------------------------------------------------------


def read_bvh(path: Path | str) -> BvhClip:
    """Read a file; ScaleMoGenError names the line that is wrong."""
    path = Path(path)
    try:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
    except OSError as error:
        raise ScaleMoGenError(
            f"Cannot read {path}: {error.strerror}. Name a readable .bvh file."
        ) from error
    try:
        return parse_bvh(text)
    except ScaleMoGenError as error:
        raise ScaleMoGenError(f"{path}: {error}") from error


def parse_bvh(text: str) -> BvhClip:
    """Parse the text of a file; ScaleMoGenError with the line number."""
    return parse_table(text)[0]


@dataclass(frozen=True)
class BvhTable:
    """The numbers of a file's frames, as they stand there.

    values: [T, C] channel values, angles in degrees.  columns: the joint of each column and its
    channel, in small letters ("zrotation").  frame_lines: line of each frame, counted from 0;
    count_line: the line that tells how many there are.
    """

    values: np.ndarray
    columns: tuple[tuple[int, str], ...]
    frame_lines: tuple[int, ...]
    count_line: int


def parse_table(text: str) -> tuple[BvhClip, BvhTable]:
    """Like :func:`parse_bvh`, with the numbers behind the clip."""
    lines = text.splitlines()
    parser = _Hierarchy(lines)
    motion_line = parser.read()
    joints = parser.joints
    width = sum(len(joint.channels) for joint in joints)
    fps, values, numbers = _read_frames(lines, motion_line, width)

    offsets = np.array([joint.offset for joint in joints])
    translations = np.repeat(offsets[None], len(values), axis=0)
    rotations = np.zeros((len(values), len(joints), 4))
    columns: list[tuple[int, str]] = []
    for index, joint in enumerate(joints):
        turns: list[int] = []
        order = ""
        for channel in joint.channels:
            if channel.endswith("position"):
                translations[:, index, "xyz".index(channel[0])] = values[:, len(columns)]
            else:
                turns.append(len(columns))
                order += channel[0]
            columns.append((index, channel))
        rotations[:, index] = euler_to_quaternion(np.radians(values[:, turns]), order)
    clip = BvhClip(
        joint_names=tuple(joint.name for joint in joints),
        parents=tuple(joint.parent for joint in joints),
        offsets=offsets,
        end_sites={i: np.array(joint.end) for i, joint in enumerate(joints) if joint.end},
        rotations=rotations,
        translations=translations,
        fps=fps,
    )
    return clip, BvhTable(values, tuple(columns), numbers[1:], numbers[0])


@dataclass
class _Joint:
    name: str
    parent: int
    offset: list[float] | None = None
    channels: tuple[str, ...] = ()
    end: list[float] | None = None


class _Hierarchy:
    """Recursive-descent reader of the HIERARCHY section, without recursion."""

    def __init__(self, lines: list[str]) -> None:
        self.joints: list[_Joint] = []
        self._line = 0
        self._tokens = self._split(lines)

    def _split(self, lines: list[str]) -> Iterator[str]:
        for self._line, line in enumerate(lines, start=1):
            words = line.replace("{", " { ").replace("}", " } ").split()
            if words and words[0].upper() in ("ROOT", "JOINT"):
                # Names may hold spaces ("Bip01 L Thigh"); the brace may stand on the same line.
                brace = words.index("{") if "{" in words else len(words)
                yield words[0]
                yield " ".join(words[1:brace])
                yield from words[brace:]
            else:
                yield from words

    def read(self) -> int:
        """Fill ``joints``; return the number of the line that says MOTION."""
        self._expect("HIERARCHY")
        stack: list[int] = []  # open joints; -1 stands for an End Site
        while True:
            word = self._next("MOTION").upper()
            if word in ("ROOT", "JOINT"):
                if (word == "ROOT") != (not self.joints) or (word == "JOINT" and not stack):
                    raise self._error("one ROOT with JOINTs inside it is expected")
                parent = stack[-1] if stack else -1
                self.joints.append(_Joint(self._name(), parent))
                self._expect("{")
                stack.append(len(self.joints) - 1)
            elif word == "END" and stack:
                self._expect("SITE")
                self._expect("{")
                self._expect("OFFSET")
                self.joints[stack[-1]].end = [self._number() for _ in range(3)]
                self._expect("}")
            elif word == "OFFSET" and stack:
                self.joints[stack[-1]].offset = [self._number() for _ in range(3)]
            elif word == "CHANNELS" and stack:
                self.joints[stack[-1]].channels = self._channels()
            elif word == "}" and stack:
                if self.joints[stack.pop()].offset is None:
                    raise self._error("a joint without OFFSET")
            elif word == "MOTION" and not stack and self.joints:
                return self._line
            else:
                raise self._error(f"unexpected '{word}'")

    def _channels(self) -> tuple[str, ...]:
        count = self._number()
        if not 0 <= count <= 12:
            raise self._error("an impossible number of channels")
        channels = tuple(self._next("channel name").lower() for _ in range(int(count)))
        for channel in channels:
            if channel[0] not in "xyz" or channel[1:] not in ("position", "rotation"):
                raise self._error(f"unknown channel '{channel}'")
        return channels

    def _name(self) -> str:
        name = self._next("joint name")
        if not name or any(joint.name == name for joint in self.joints):
            raise self._error(f"joint name '{name}' is " + ("used twice" if name else "missing"))
        return name

    def _number(self) -> float:
        word = self._next("number")
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if not np.isfinite(value):
            raise self._error(f"'{word}' is not a number")
        return value

    def _expect(self, keyword: str) -> None:
        word = self._next(keyword)
        if word.upper() != keyword:
            raise self._error(f"'{keyword}' is expected, not '{word[:40]}'")

    def _next(self, wanted: str) -> str:
        word = next(self._tokens, None)
        if word is None:
            raise self._error(f"the file ends where '{wanted}' is expected")
        return word

    def _error(self, what: str) -> ScaleMoGenError:
        return ScaleMoGenError(f"line {self._line}: {what}. Export the motion as BVH again.")


def _read_frames(
    lines: list[str], motion_line: int, width: int
) -> tuple[float, np.ndarray, tuple[int, ...]]:
    """Frames per second and channel values [T, width] below the MOTION line.

    Also the lines, from 0, of the number of frames and of every frame.
    """

    def error(number: int, what: str) -> ScaleMoGenError:
        return ScaleMoGenError(f"line {number}: {what}. Export the motion as BVH again.")

    body = [(n, line) for n, line in enumerate(lines, 1) if n > motion_line and line.strip()]
    header: list[float] = []
    for (number, line), key in zip(body[:2], ("frames", "frame time"), strict=False):
        name, _, value = line.partition(":")
        try:
            header.append(float(value))
        except ValueError:
            header.append(float("nan"))
        if " ".join(name.lower().split()) != key or not np.isfinite(header[-1]) or header[-1] <= 0:
            raise error(number, f"'{key.capitalize()}: <positive number>' is expected")
    if len(header) < 2:
        raise error(len(lines), "the file ends before its frames")
    rows: list[list[float]] = []
    for number, line in body[2:]:
        try:
            row = [float(word) for word in line.split()]
        except ValueError:
            raise error(number, "a frame holds something that is not a number") from None
        if len(row) != width or not np.all(np.isfinite(row)):
            raise error(number, f"{width} finite numbers are expected, found {len(row)}")
        rows.append(row)
    if len(rows) != int(header[0]):
        raise error(len(lines), f"{int(header[0])} frames are announced, {len(rows)} found")
    if not SLOWEST_FPS <= 1.0 / max(header[1], 1e-9) <= FASTEST_FPS:
        raise error(body[1][0], f"{SLOWEST_FPS:g} to {FASTEST_FPS:g} frames a second are expected")
    numbers = (body[0][0] - 1, *(number - 1 for number, _ in body[2:]))
    return _frames_per_second(header[1]), np.array(rows).reshape(len(rows), width), numbers


def _frames_per_second(frame_time: float) -> float:
    # "0.0333333" means 30; a step of 23.976 to 24 is a tenth of a percent and stays.
    fps = 1.0 / frame_time
    return float(round(fps)) if abs(fps - round(fps)) < 2e-4 * fps else fps


# --- writing -------------------------------------------------------------------------------------


def write_bvh(path: Path | str, motion: Motion) -> None:
    """Write a motion in centimetres, atomically; ScaleMoGenError when that is not possible."""
    write_bytes(path, format_bvh(motion).encode())


def format_bvh(motion: Motion) -> str:
    """The text of a BVH file: ZXY angles in degrees, six decimals, positions in centimetres."""
    skeleton = motion.skeleton
    to_file = metres_to_centimetres if skeleton.units == "metres" else np.asarray
    lines = ["HIERARCHY"]
    order: list[int] = []

    def add(joint: int, depth: int) -> None:
        order.append(joint)
        indent = "\t" * depth
        name = skeleton.joint_names[joint]
        offset = np.zeros(3) if depth == 0 else to_file(skeleton.rest_offsets[joint])
        positions = "6 Xposition Yposition Zposition" if depth == 0 else "3"
        rotations = " ".join(f"{axis}rotation" for axis in ORDER)
        lines.append(f"{indent}{'ROOT' if depth == 0 else 'JOINT'} {name}")
        lines.append(f"{indent}{{")
        lines.append(f"{indent}\tOFFSET {_numbers(offset)}")
        lines.append(f"{indent}\tCHANNELS {positions} {rotations}")
        for child in skeleton.children(joint):
            add(child, depth + 1)
        if not skeleton.children(joint):
            end = _END_SITES.get(name)
            site = to_file(skeleton.rest_offsets[joint] / 2 if end is None else np.array(end))
            lines.extend([f"{indent}\tEnd Site", f"{indent}\t{{"])
            lines.extend([f"{indent}\t\tOFFSET {_numbers(site)}", f"{indent}\t}}"])
        lines.append(f"{indent}}}")

    add(0, 0)
    angles = np.degrees(continuous_euler(quaternion_to_matrix(motion.rotations[:, order]), ORDER))
    values = np.concatenate(
        [to_file(motion.root_positions), angles.reshape(motion.frame_count, -1)], axis=1
    )
    lines += ["MOTION", f"Frames: {motion.frame_count}", f"Frame Time: {1.0 / motion.fps:.8f}"]
    lines += [_numbers(row) for row in values]
    return "\n".join(lines) + "\n"


def _numbers(values: np.ndarray) -> str:
    # Adding zero turns the -0.0 that rounding leaves into 0.0.
    return " ".join(f"{value:.6f}" for value in np.round(values, 6) + 0.0)


# --- our own files -------------------------------------------------------------------------------


def motion_from_bvh(clip: BvhClip) -> Motion | None:
    """The motion of a file on the canonical skeleton, or None when its skeleton is another one.

    The joints may come in any order, but names, parents and offsets (within 0.1 mm) have to be
    those that :func:`write_bvh` writes; everything else is a case for retargeting.
    """
    skeleton = canonical()
    if sorted(clip.joint_names) != sorted(skeleton.joint_names):
        return None
    at = [clip.joint_names.index(name) for name in skeleton.joint_names]
    parents = tuple(at.index(clip.parents[i]) if clip.parents[i] >= 0 else -1 for i in at)
    offsets = centimetres_to_metres(clip.offsets[at])
    if parents != skeleton.parents or np.abs(offsets - skeleton.rest_offsets)[1:].max() > 1e-4:
        return None
    root = centimetres_to_metres(clip.translations[:, at[0]])
    return Motion(skeleton, clip.rotations[:, at], root, clip.fps)
