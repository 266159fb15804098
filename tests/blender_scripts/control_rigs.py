"""Control rigs for tests, built on the mannequin's bones, and how far off their bodies end up."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import bpy
import numpy as np
from mathutils import Vector

from core import coordinates, retarget
from core.motion import Motion
from scalemogen_blender import armature, bake, compat, mannequin, pipeline

SIDES = ("left", "right")
FORWARD = Vector((0.0, -1.0, 0.0))


def metarig(basic: bool = True) -> bpy.types.Object:
    """Rigify's (basic) human metarig in an empty scene."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    compat.enable_bundled_addon("rigify")
    name = "armature_basic_human_metarig_add" if basic else "armature_human_metarig_add"
    getattr(bpy.ops.object, name)()
    rig = bpy.context.view_layer.objects.active
    rig.data.pose_position = "POSE"
    return rig


def generated(basic: bool = True) -> tuple[bpy.types.Object, bpy.types.Object]:
    """A metarig and the control rig that Rigify generates from it."""
    meta = metarig(basic)
    bpy.ops.pose.rigify_generate()
    meta.data.pose_position = "POSE"
    return meta, bpy.context.view_layer.objects.active


def plain() -> bpy.types.Object:
    """The mannequin, without any control."""
    bpy.ops.wm.read_factory_settings(use_empty=True)
    rig = mannequin.build()
    rig.data.pose_position = "POSE"
    return rig


def edited(rig: bpy.types.Object, change: Callable[[bpy.types.ArmatureEditBones], None]) -> None:
    """Change the rig's bones in Edit Mode."""
    bpy.context.view_layer.objects.active = rig
    bpy.ops.object.mode_set(mode="EDIT")
    change(rig.data.edit_bones)
    bpy.ops.object.mode_set(mode="OBJECT")


def add_bone(
    bones: bpy.types.ArmatureEditBones,
    name: str,
    like: str,
    parent: str | None = None,
    shift: Vector | None = None,
) -> None:
    """A bone with the rest pose of another, moved by ``shift``."""
    source, bone = bones[like], bones.new(name)
    bone.head, bone.tail, bone.roll = source.head, source.tail, source.roll
    if shift is not None:
        bone.head += shift
        bone.tail += shift
    bone.parent = bones[parent] if parent else None
    bone.use_deform = False


def constrain(
    rig: bpy.types.Object, bone: str, kind: str, target: str, **values: object
) -> bpy.types.Constraint:
    """A constraint to another bone of the rig."""
    constraint = rig.pose.bones[bone].constraints.new(kind)
    constraint.target, constraint.subtarget = rig, target
    for name, value in values.items():
        setattr(constraint, name, value)
    return constraint


def switch(
    constraint: bpy.types.Constraint, bone: str, name: str, expression: str = "value"
) -> None:
    """Let a custom property of a bone drive a constraint's influence."""
    rig = constraint.id_data
    if name not in rig.pose.bones[bone]:
        rig.pose.bones[bone][name] = 0.0
    driver = constraint.driver_add("influence").driver
    driver.type, driver.expression = "SCRIPTED", expression
    variable = driver.variables.new()
    variable.name = "value"
    variable.targets[0].id = rig
    variable.targets[0].data_path = f'pose.bones["{bone}"]["{name}"]'


def pole_angle(rig: bpy.types.Object, upper: str, lower: str, pole: str) -> float:
    """The pole angle for which a limb's rest pose stays as it is."""
    bones = rig.data.bones
    base, tip = bones[upper], bones[lower].tail_local
    line = (tip - base.head_local).normalized()

    def across(vector: Vector) -> Vector:
        return (vector - vector.dot(line) * line).normalized()

    up = across(bones[pole].head_local - base.head_local)
    x, z = (across(base.matrix_local.to_3x3().col[i]) for i in (0, 2))
    return float(np.arctan2(up.dot(z), up.dot(x)))


def worst(
    judge: bpy.types.Object,
    rig: bpy.types.Object,
    motion: Motion,
    options: retarget.RetargetOptions | None = None,
    names: Mapping[str, str] | None = None,
) -> dict[str, dict[str, float]]:
    """Put a motion on a plain rig and on a control rig; how far apart their bones come to be.

    names: bones of the control rig by those of the judge, by default the same.  By bone of the
    judge: "direction" and "turn" in degrees, "place" in % of the leg.
    """
    options = options or retarget.RetargetOptions()
    there = pipeline.retargeter(judge)
    bake.bake(judge, there.transfer(motion, options), "judge")
    bake.bake(rig, pipeline.retargeter(rig).transfer(motion, options), "controls")
    frames = np.arange(1, motion.frame_count + 1)
    first, second = ([*armature.sample_pose(o, frames), _rest_axes(o)] for o in (judge, rig))
    leg = retarget.rig_leg_length(there.rig, there.bone_map)
    found = {}
    for name in (b for chain in there.bone_map.bones.values() for b in chain):
        other = (names or {}).get(name, name)
        if other not in second[0]:
            continue
        i, j = first[0].index(name), second[0].index(other)
        axes = [_unit(first[1][:, i]), _unit(second[1][:, j])]
        away = [axes[0] @ np.linalg.inv(first[3][i]), axes[1] @ np.linalg.inv(second[3][j])]
        turned = np.einsum("tji,tjk->tik", *away)
        cosines = (axes[0][..., 1] * axes[1][..., 1]).sum(axis=-1)
        angles = (np.trace(turned, axis1=-2, axis2=-1) - 1.0) / 2.0
        gap = np.linalg.norm(first[2][:, i] - second[2][:, j], axis=-1)
        found[name] = {
            "direction": float(np.degrees(np.arccos(np.clip(cosines, -1, 1))).max()),
            "turn": float(np.degrees(np.arccos(np.clip(angles, -1, 1))).max()),
            "place": float(100.0 * gap.max() / leg),
        }
    return found


def largest(found: Mapping[str, Mapping[str, float]], what: str, *but: str) -> float:
    """The largest error of some kind over all bones but some."""
    return max(values[what] for name, values in found.items() if name not in but)


def _rest_axes(rig: bpy.types.Object) -> np.ndarray:
    bones = armature.bones_parents_first(rig)
    axes = np.array([bone.matrix_local for bone in bones])[:, :3, :3]
    return coordinates.BLENDER_TO_CANONICAL @ np.array(rig.matrix_world.to_3x3()) @ axes


def _unit(axes: np.ndarray) -> np.ndarray:
    return axes / np.linalg.norm(axes, axis=-2, keepdims=True)


#: Auto-Rig Pro's deform bones by the mannequin's.
ARP_NAMES = {
    "pelvis": "root.x", "spine1": "spine_01.x", "spine2": "spine_02.x", "spine3": "spine_03.x",
    "neck": "neck.x", "head": "head.x",
    **{f"{side}_{part}": f"{name}.{side[0]}" for side in SIDES for part, name in {
        "collar": "shoulder", "shoulder": "arm", "elbow": "forearm", "wrist": "hand",
        "hip": "thigh", "knee": "leg", "ankle": "foot", "foot": "toes_01"}.items()},
}  # fmt: skip


def copied_mannequin(bent: bool = False) -> tuple[bpy.types.Object, bpy.types.Object]:
    """The mannequin twice; the second is to become a control rig.

    bent: with knees and elbows a little bent, without which solvers cannot start.
    """
    judge = plain()
    if bent:

        def bend(bones: bpy.types.ArmatureEditBones) -> None:
            for side in SIDES:
                for upper, lower, way in (("hip", "knee", 0.03), ("shoulder", "elbow", -0.03)):
                    bones[f"{side}_{lower}"].head += FORWARD * way
                    bones[f"{side}_{upper}"].tail = bones[f"{side}_{lower}"].head

        edited(judge, bend)
    rig = judge.copy()
    rig.data = judge.data.copy()
    bpy.context.collection.objects.link(rig)
    return judge, rig


def auto_rig_pro() -> tuple[bpy.types.Object, bpy.types.Object]:
    """The mannequin, and a rig with Auto-Rig Pro's published control names and typical set-up.

    Deform bones copy an FK and an IK chain; ``ik_fk_switch`` of the IK controls is 0 for IK.
    """
    judge, rig = copied_mannequin(bent=True)
    for bone in rig.data.bones:
        bone.name = ARP_NAMES[bone.name]

    def change(bones: bpy.types.ArmatureEditBones) -> None:
        add_bone(bones, "c_pos", "root.x", shift=Vector((0.0, 0.0, -0.9)))
        add_bone(bones, "c_traj", "c_pos", "c_pos")
        add_bone(bones, "c_root_master.x", "root.x", "c_traj")
        add_bone(bones, "c_root.x", "root.x", "c_root_master.x")
        above = "c_root_master.x"
        for name in ("spine_01.x", "spine_02.x", "spine_03.x", "neck.x", "head.x"):
            add_bone(bones, f"c_{name}", name, above)
            above = f"c_{name}"
        for s in "lr":
            add_bone(bones, f"c_shoulder.{s}", f"shoulder.{s}", "c_spine_03.x")
            chains = (
                (f"c_shoulder.{s}", ("arm", "forearm", "hand"), "hand", "c_arms_pole", -0.6),
                ("c_root.x", ("thigh", "leg", "foot"), "foot", "c_leg_pole", 0.6),
            )
            for top, parts, end, pole, way in chains:
                fk = ik = top
                for part in parts:
                    add_bone(bones, f"c_{part}_fk.{s}", f"{part}.{s}", fk)
                    add_bone(bones, f"{part}_ik.{s}", f"{part}.{s}", ik)
                    fk, ik = f"c_{part}_fk.{s}", f"{part}_ik.{s}"
                add_bone(bones, f"c_{end}_ik.{s}", f"{end}.{s}", "c_traj")
                middle = f"{parts[1]}.{s}"
                add_bone(bones, f"{pole}.{s}", middle, "c_traj", FORWARD * way)
            add_bone(bones, f"c_toes_fk.{s}", f"toes_01.{s}", f"c_foot_fk.{s}")
            add_bone(bones, f"c_toes_ik.{s}", f"toes_01.{s}", f"c_foot_ik.{s}")

    edited(rig, change)
    constrain(rig, "root.x", "COPY_TRANSFORMS", "c_root.x")
    for name in ("spine_01.x", "spine_02.x", "spine_03.x", "neck.x", "head.x"):
        constrain(rig, name, "COPY_TRANSFORMS", f"c_{name}")
    for s in "lr":
        constrain(rig, f"shoulder.{s}", "COPY_TRANSFORMS", f"c_shoulder.{s}")
        for parts, end, pole in (
            (("arm", "forearm", "hand"), "hand", "c_arms_pole"),
            (("thigh", "leg", "foot"), "foot", "c_leg_pole"),
        ):
            upper, lower = (f"{part}_ik.{s}" for part in parts[:2])
            solver = constrain(rig, lower, "IK", f"c_{end}_ik.{s}", chain_count=2)
            solver.pole_target, solver.pole_subtarget = rig, f"{pole}.{s}"
            solver.pole_angle = pole_angle(rig, upper, lower, f"{pole}.{s}")
            constrain(rig, f"{end}_ik.{s}", "COPY_ROTATION", f"c_{end}_ik.{s}")
            for part in parts:
                constrain(rig, f"{part}.{s}", "COPY_TRANSFORMS", f"{part}_ik.{s}")
                fk = constrain(rig, f"{part}.{s}", "COPY_TRANSFORMS", f"c_{part}_fk.{s}")
                switch(fk, f"c_{end}_ik.{s}", "ik_fk_switch")
        toes = constrain(rig, f"toes_01.{s}", "COPY_ROTATION", f"c_toes_ik.{s}")
        toes = constrain(rig, f"toes_01.{s}", "COPY_ROTATION", f"c_toes_fk.{s}")
        switch(toes, f"c_foot_ik.{s}", "ik_fk_switch")
    return judge, rig


def copying_controls(kind: str, above: str = "") -> tuple[bpy.types.Object, bpy.types.Object]:
    """Every deform bone copies a control by a constraint; ``above`` names a bone over them all."""
    judge, rig = copied_mannequin()
    parents = {bone.name: bone.parent.name if bone.parent else "" for bone in rig.data.bones}

    def change(bones: bpy.types.ArmatureEditBones) -> None:
        if above:
            add_bone(bones, above, "pelvis")
        for name in [bone.name for bone in armature.bones_parents_first(judge)]:
            parent = f"CTRL-{parents[name]}" if parents[name] else above
            add_bone(bones, f"CTRL-{name}", name, parent)

    edited(rig, change)
    for name in parents:
        constrain(rig, name, kind, f"CTRL-{name}")
    return judge, rig


def own_ik_legs(pole: bool, foot: str) -> tuple[bpy.types.Object, bpy.types.Object]:
    """Legs of inverse kinematics; the foot copies its control ("COPY") or not ("FREE")."""
    judge, rig = copied_mannequin()

    def change(bones: bpy.types.ArmatureEditBones) -> None:
        for side in SIDES:
            add_bone(bones, f"{side}_foot_control", f"{side}_ankle")
            if pole:
                add_bone(bones, f"{side}_pole", f"{side}_knee", shift=FORWARD * 0.6)

    edited(rig, change)
    for side in SIDES:
        solver = constrain(rig, f"{side}_knee", "IK", f"{side}_foot_control", chain_count=2)
        if pole:
            solver.pole_target, solver.pole_subtarget = rig, f"{side}_pole"
            solver.pole_angle = pole_angle(rig, f"{side}_hip", f"{side}_knee", f"{side}_pole")
        if foot == "COPY":
            constrain(rig, f"{side}_ankle", "COPY_ROTATION", f"{side}_foot_control")
    return judge, rig


def switched_limbs() -> tuple[bpy.types.Object, bpy.types.Object]:
    """Limbs that copy FK bones, then IK bones; ``fk_ik`` of the controls is 0 for FK, but is 1."""
    judge, rig = copied_mannequin(bent=True)
    limbs = (("hip", "knee", "ankle", 0.6), ("shoulder", "elbow", "wrist", -0.6))

    def change(bones: bpy.types.ArmatureEditBones) -> None:
        for side in SIDES:
            for *parts, way in limbs:
                fk = ik = bones[f"{side}_{parts[0]}"].parent.name
                for part in parts:
                    name = f"{side}_{part}"
                    add_bone(bones, f"FK-{name}", name, fk)
                    add_bone(bones, f"IK-{name}", name, ik)
                    fk, ik = f"FK-{name}", f"IK-{name}"
                add_bone(bones, f"{side}_{parts[2]}_control", f"{side}_{parts[2]}")
                add_bone(
                    bones,
                    f"{side}_{parts[2]}_pole",
                    f"{side}_{parts[1]}",
                    shift=FORWARD * way,
                )

    edited(rig, change)
    for side in SIDES:
        for *parts, _ in limbs:
            upper, lower, end = (f"{side}_{part}" for part in parts)
            solver = constrain(rig, f"IK-{lower}", "IK", f"{end}_control", chain_count=2)
            solver.pole_target, solver.pole_subtarget = rig, f"{end}_pole"
            solver.pole_angle = pole_angle(rig, f"IK-{upper}", f"IK-{lower}", f"{end}_pole")
            constrain(rig, f"IK-{end}", "COPY_ROTATION", f"{end}_control")
            rig.pose.bones[f"{end}_control"]["fk_ik"] = 1.0
            for name in (upper, lower, end):
                constrain(rig, name, "COPY_TRANSFORMS", f"FK-{name}")
                ik = constrain(rig, name, "COPY_TRANSFORMS", f"IK-{name}")
                switch(ik, f"{end}_control", "fk_ik")
    return judge, rig
