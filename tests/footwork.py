"""Motions whose feet are known: walks, steps and jumps made by inverse kinematics."""

from dataclasses import replace

import numpy as np

from core.cleanup import legs_of, solve_two_bones
from core.kinematics import local_rotations
from core.motion import Motion
from core.rotations import (
    make_continuous,
    quaternion_multiply,
    quaternion_rotate,
    rotation_vector_to_quaternion,
)
from core.skeleton import canonical

SKELETON = canonical()
LEGS = legs_of(SKELETON)
HIP = SKELETON.rest_offsets[LEGS[0].hip]
BALL = SKELETON.rest_offsets[LEGS[0].toe]
ANKLE_HEIGHT, TOE_HEIGHT = 0.08, 0.02

#: Shares of a step cycle: heel down to toe off, and heel down to heel up.
STANCE, FLAT = 0.62, 0.42


def feet_to_motion(
    pelvis: np.ndarray,
    ankles: np.ndarray,
    pitches: np.ndarray,
    contacts: np.ndarray | None,
    fps: float,
    turn: np.ndarray | None = None,
) -> Motion:
    """The motion whose ankles are [T, 2, 3], feet pitched down by [T, 2] radians.

    pelvis: path [T, 3]; turn: [T, 3] rotation vectors of the whole body.
    """
    frames = len(pelvis)
    body = rotation_vector_to_quaternion(np.zeros((frames, 3)) if turn is None else turn)
    turns = np.tile(body[:, None], (1, SKELETON.joint_count, 1))
    for side, leg in enumerate(LEGS):
        hip = pelvis + quaternion_rotate(body, SKELETON.rest_offsets[leg.hip])
        # A knee that already bends forwards, for the inverse kinematics to keep.
        bend = rotation_vector_to_quaternion(np.tile([-0.3, 0.0, 0.0], (frames, 1)))
        back = rotation_vector_to_quaternion(np.tile([0.3, 0.0, 0.0], (frames, 1)))
        thigh, shin = (quaternion_multiply(body, turned) for turned in (bend, back))
        knee = hip + quaternion_rotate(thigh, SKELETON.rest_offsets[leg.knee])
        ankle = knee + quaternion_rotate(shin, SKELETON.rest_offsets[leg.ankle])
        hinge = quaternion_rotate(body, np.array([1.0, 0.0, 0.0]))
        solved = solve_two_bones(hip, knee, ankle, ankles[:, side], hinge)
        turns[:, leg.hip] = quaternion_multiply(solved.upper, thigh)
        turns[:, leg.knee] = quaternion_multiply(solved.lower, shin)
        pitch = np.stack([pitches[:, side], 0 * pitches[:, side], 0 * pitches[:, side]], axis=-1)
        foot = quaternion_multiply(body, rotation_vector_to_quaternion(pitch))
        turns[:, leg.ankle] = turns[:, leg.toe] = foot
    local = make_continuous(local_rotations(turns, SKELETON.parents))
    return Motion(SKELETON, local, pelvis, fps, contacts)


def strolling(
    seconds: float = 3.0, fps: float = 30.0, speed: float = 1.0, crouch: float = 0.1
) -> Motion:
    """A walk along +Z whose feet stand exactly: flat, then rolling over the ball."""
    frames = round(seconds * fps)
    cycle, t = 1.1, np.arange(frames) / fps
    stride = speed * cycle
    pelvis = np.stack(
        [0.0 * t, 0.98 - crouch + 0.01 * np.cos(4 * np.pi * t / cycle), speed * t], -1
    )
    ankles, pitches, contacts = (
        np.zeros((frames, 2, 3)),
        np.zeros((frames, 2)),
        np.zeros((frames, 4)),
    )
    for side, leg in enumerate(LEGS):
        phase, count = np.modf(t / cycle + 0.5 * side + 1.0)
        ball, pitch, up = _step(phase)
        ankle = -_turned_ball(pitch)
        ankles[:, side, 0] = HIP[0] * (1 - 2 * side)
        ankles[:, side, 1] = TOE_HEIGHT + up + ankle[:, 1]
        ahead = (count - 1.0 - 0.5 * side + ball) * stride
        ankles[:, side, 2] = ahead + STANCE / 2 * stride - 0.05 + ankle[:, 2] + BALL[2]
        pitches[:, side] = pitch
        contacts[:, leg.toe_contact] = phase <= STANCE
        contacts[:, leg.ankle_contact] = phase <= FLAT
    return feet_to_motion(pelvis, ankles, pitches, contacts, fps)


def _step(phase: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Way of the ball in strides, pitch in radians and height of the ball in one cycle."""
    swing = np.clip((phase - STANCE) / (1.0 - STANCE), 0.0, 1.0)
    smooth = swing**3 * (10.0 - 15.0 * swing + 6.0 * swing**2)
    rolled = np.clip((phase - FLAT) / (STANCE - FLAT), 0.0, 1.0)
    pitch = 0.6 * rolled**2 * (3.0 - 2.0 * rolled) * (1.0 - smooth)
    return smooth, pitch, 0.08 * np.sin(np.pi * smooth) ** 2


def _turned_ball(pitch: np.ndarray) -> np.ndarray:
    """From ankle to ball [T, 3] of a foot pitched down."""
    turn = rotation_vector_to_quaternion(np.stack([pitch, 0 * pitch, 0 * pitch], axis=-1))
    return quaternion_rotate(turn, BALL)


def standing(
    seconds: float = 2.0, fps: float = 30.0, crouch: float = 0.1, height: float = 0.0
) -> Motion:
    """Both feet flat at a height above the floor, the body turning and swaying over them."""
    frames = max(1, round(seconds * fps))
    t = np.arange(frames) / fps
    sway = np.stack([0.04 * np.sin(2 * t), 0.02 * np.sin(3 * t) + 0.98 - crouch, 0 * t], axis=-1)
    ankles = np.tile([[HIP[0], ANKLE_HEIGHT, 0.0], [-HIP[0], ANKLE_HEIGHT, 0.0]], (frames, 1, 1))
    up = np.array([0.0, height, 0.0])
    turn = np.stack([0 * t, 0.25 * np.sin(2.5 * t), 0 * t], axis=-1)
    made = feet_to_motion(sway, ankles, np.zeros((frames, 2)), np.ones((frames, 4)), fps, turn)
    return _feet_forward(replace(made, root_positions=made.root_positions + up))


def jumping(fps: float = 30.0) -> Motion:
    """Crouches, flies for half a second with hanging legs, lands."""
    frames = round(2.4 * fps)
    t = np.arange(frames) / fps - 1.2
    air = np.clip(1.0 - (t / 0.42) ** 2, 0.0, None) * 0.35
    pelvis = np.stack(
        [0 * t, 0.90 - 0.12 * np.exp(-(((np.abs(t) - 0.75) / 0.18) ** 2)) + air, 0 * t], -1
    )
    ankles = np.tile([[HIP[0], ANKLE_HEIGHT, 0.0], [-HIP[0], ANKLE_HEIGHT, 0.0]], (frames, 1, 1))
    ankles[:, :, 1] += air[:, None]
    contacts = np.repeat((air == 0.0)[:, None], 4, axis=1).astype(float)
    turn = np.stack([0 * t, 0.3 * np.sin(3.0 * t), 0 * t], axis=-1)
    made = feet_to_motion(pelvis, ankles, np.zeros((frames, 2)), contacts, fps, turn)
    return _feet_forward(made)


def _feet_forward(motion: Motion) -> Motion:
    """Feet that keep pointing along +Z, flat, whatever the body does."""
    turns = motion.global_rotations()
    for leg in LEGS:
        turns[:, leg.ankle] = turns[:, leg.toe] = [1.0, 0.0, 0.0, 0.0]
    local = make_continuous(local_rotations(turns, SKELETON.parents))
    return replace(motion, rotations=local)
