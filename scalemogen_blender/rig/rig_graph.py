"""The constraints of a rig as plain values: what holds its bones, and what switches that."""

from __future__ import annotations

import ast
import operator
import re
from functools import cache

import bpy

from .._core import retarget

Hold = retarget.controls.Hold

#: Constraints that only narrow what a bone's own channels do.
_HARMLESS = re.compile(r"LIMIT_|MAINTAIN_VOLUME$|COPY_SCALE$")
_OWN_CHANNELS = ("location", "rotation_quaternion", "rotation_euler", "rotation_axis_angle")
_PROPERTY = re.compile(
    r'^(?:pose\.bones\["(?P<bone>(?:[^"\\]|\\.)*)"\])?\["(?P<key>(?:[^"\\]|\\.)*)"\]$'
)
_CHANNEL = re.compile(r'^pose\.bones\["(?P<bone>(?:[^"\\]|\\.)*)"\]\.(?P<channel>\w+)$')


def read(rig: bpy.types.Object) -> retarget.controls.RigGraph:
    """A view of the rig as it is now; bones are looked at when they are asked for."""
    drivers = _drivers(rig)
    driven = {
        bpy.utils.unescape_identifier(match["bone"])
        for path in drivers
        if (match := _CHANNEL.match(path)) and match["channel"] in _OWN_CHANNELS
    }

    @cache
    def holds(bone: str) -> tuple[Hold, ...]:
        found = (_hold(rig, bone, c, drivers) for c in rig.pose.bones[bone].constraints)
        return tuple(hold for hold in found if hold is not None)

    @cache
    def loose(bone: str) -> bool:
        constraints = rig.pose.bones[bone].constraints
        return bone in driven or any(_is_on(c) and not _holds(c) for c in constraints)

    parents = {b.name: b.parent.name if b.parent else None for b in rig.data.bones}
    return retarget.controls.RigGraph(parents, holds, loose)


def _drivers(rig: bpy.types.Object) -> dict[str, bpy.types.FCurve]:
    animation = rig.animation_data
    return {} if animation is None else {curve.data_path: curve for curve in animation.drivers}


def _is_on(constraint: bpy.types.Constraint) -> bool:
    return not constraint.mute and not _HARMLESS.match(constraint.type)


def _holds(constraint: bpy.types.Constraint) -> bool:
    """Whether nothing is left of a bone's own rotation or place at full influence."""
    if constraint.type == "COPY_LOCATION":
        whole = constraint.use_x and constraint.use_y and constraint.use_z
        return whole and not constraint.use_offset
    if constraint.type == "COPY_ROTATION":
        whole = constraint.use_x and constraint.use_y and constraint.use_z
        return whole and constraint.mix_mode == "REPLACE"
    if constraint.type == "COPY_TRANSFORMS":
        return str(constraint.mix_mode) == "REPLACE"
    return constraint.type == "IK"


def _hold(
    rig: bpy.types.Object,
    bone: str,
    constraint: bpy.types.Constraint,
    drivers: dict[str, bpy.types.FCurve],
) -> Hold | None:
    if not _holds(constraint):
        return None
    path = constraint.path_from_id()
    mute, influence = drivers.get(f"{path}.mute"), drivers.get(f"{path}.influence")
    if constraint.mute and mute is None:
        return None
    switch, at = None, (1.0, 1.0)
    for curve in (mute, influence):
        if curve is not None and (found := _switched(rig, curve)) is not None:
            switch, at = found
            if curve is mute:
                at = (1.0 - min(at[0], 1.0), 1.0 - min(at[1], 1.0))
    own = constraint.target == rig
    other = "" if own or constraint.target is None else constraint.target.name
    ik = constraint.type == "IK"
    pole = ik and constraint.pole_target == rig
    return Hold(
        bone=bone,
        name=constraint.name,
        kind="IK" if ik else "COPY",
        target=constraint.subtarget if own else "",
        other=other,
        influence=constraint.influence,
        switch=switch,
        at=at,
        chain=constraint.chain_count if ik else 0,
        pole=constraint.pole_subtarget if pole else "",
        pole_angle=constraint.pole_angle if ik else 0.0,
        turns=constraint.type != "COPY_LOCATION",
        moves=constraint.type in {"COPY_LOCATION", "COPY_TRANSFORMS"},
    )


def _switched(
    rig: bpy.types.Object, curve: bpy.types.FCurve
) -> tuple[tuple[str, str], tuple[float, float]] | None:
    """The custom property behind a driver, and the driver's values while it is 0 and 1."""
    driver = curve.driver
    if len(driver.variables) != 1 or driver.variables[0].type != "SINGLE_PROP":
        return None
    variable = driver.variables[0]
    target = variable.targets[0]
    match = _PROPERTY.match(target.data_path)
    if target.id != rig or match is None:
        return None
    bone = bpy.utils.unescape_identifier(match["bone"] or "")
    key = bpy.utils.unescape_identifier(match["key"])
    values = []
    for value in (0.0, 1.0):
        if driver.type == "SCRIPTED":
            found = _evaluate(driver.expression, variable.name, value)
            if found is None:
                return None
            value = found
        if len(curve.modifiers) or len(curve.keyframe_points):
            value = curve.evaluate(value)
        values.append(value)
    return (bone, key), (values[0], values[1])


_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
    ast.Not: operator.not_,
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
}


def _evaluate(expression: str, variable: str, value: float) -> float | None:
    """A driver's expression of one variable, if it is plain arithmetic; nothing is executed."""

    def of(node: ast.AST) -> float:
        match node:
            case ast.Expression():
                return of(node.body)
            case ast.Constant(value=bool() | int() | float() as constant):
                return float(constant)
            case ast.Name(id=name) if name == variable:
                return value
            case ast.BinOp():
                return float(_OPERATORS[type(node.op)](of(node.left), of(node.right)))
            case ast.UnaryOp():
                return float(_OPERATORS[type(node.op)](of(node.operand)))
            case ast.Compare(ops=[op]):
                return float(_OPERATORS[type(op)](of(node.left), of(node.comparators[0])))
            case ast.IfExp():
                return of(node.body) if of(node.test) else of(node.orelse)
        raise ValueError(expression)

    try:
        return of(ast.parse(expression.strip(), mode="eval"))
    except (SyntaxError, ValueError, KeyError, ZeroDivisionError, RecursionError, OverflowError):
        return None
