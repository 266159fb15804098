"""The page that plays motions: what it embeds, that it is harmless, and its script (with node)."""

import base64
import hashlib
import json
import re
import shutil
import subprocess
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from core.motion import Motion
from core.preview.body import body_of
from core.preview.figure import CONTACT, LEFT, RIGHT
from core.preview.overview import ROWS_PER_PAGE, overview_pages
from core.preview.player import PlayedPrompt, player_page
from core.preview.player.clips import FEET, POINTS, STEP, DrawnClip, decode, drawn_clip, encode
from core.preview.player.page import script_source
from core.rotations import normalize
from core.skeleton import canonical, load_skeleton

#: The stated tolerance, and what double precision adds to it.
HALF = STEP / 2 + 1e-9

VILE = [
    "</script><img src=x onerror=alert(1)>",
    "<!--<script>",
    '"><svg onload=alert(1)>',
    "' onmouseover='alert(1)",
    "{{script}} {{data}}",
    "\u2028 & &amp; \\u003c ]]>",
    "ein Mann läuft — 走る 🏃",
]


def moving(frames: int = 30, seed: int = 0, reach: float = 1.0, fps: float = 30.0) -> Motion:
    """A random but smooth motion that ends ``reach`` metres from where it began."""
    random = np.random.default_rng(seed)
    swing = random.normal(size=(22, 4)) * 0.3
    phase = np.sin(np.linspace(0, 3, frames))[:, None, None]
    rotations = normalize(np.array([1.0, 0, 0, 0]) + phase * swing)
    root = np.linspace([0, 0.95, 0], [0.3 * reach, 0.9, reach], frames)
    contacts = random.uniform(size=(frames, 4))
    return Motion(canonical(), rotations, root, fps, contacts)


def played(*texts: str, models: int = 2, seeds: int = 2) -> list[PlayedPrompt]:
    prompts = []
    for number, text in enumerate(texts):
        motions = [
            [moving(20 + 5 * model, seed=100 * number + 10 * model + seed) for seed in range(seeds)]
            for model in range(models)
        ]
        prompts.append(PlayedPrompt(f"p{number}", 2.0, text, motions))
    return prompts


class Page(HTMLParser):
    """Elements and texts of a page as a browser's parser sees them."""

    def __init__(self, source: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self._inside = ""
        self.feed(source)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))
        self._inside = f"{tag} {dict(attrs).get('type', '')}".strip()

    def handle_endtag(self, tag: str) -> None:
        self._inside = ""

    def handle_data(self, text: str) -> None:
        self.texts[self._inside] = self.texts.get(self._inside, "") + text

    @property
    def data(self) -> dict[str, Any]:
        return json.loads(self.texts["script application/json"])


# ---- motions in, motions out


@given(st.integers(0, 999), st.integers(1, 40), st.floats(0, 16))
def test_every_coordinate_comes_back_within_half_a_step(seed: int, frames: int, reach: float):
    motion = moving(frames, seed, reach - 2 if reach > 2 else reach)
    record = json.loads(json.dumps(encode(drawn_clip(motion))))
    body = body_of(motion)
    back = decode(record)
    assert record["step"] == STEP == 0.0005
    assert back.points.shape == (frames, len(POINTS), 3) and back.fps == 30.0
    for name in POINTS[:-4]:
        assert np.abs(back.points[:, POINTS.index(name)] - body.joints[name]).max() <= HALF
    for side in ("left", "right"):
        hand = back.points[:, POINTS.index(f"{side}_hand")]
        assert np.abs(hand - body.hands[side]).max() <= HALF
    skull, face = (back.points[:, POINTS.index(name)] for name in ("skull", "face"))
    assert np.abs(skull - body.head_centre).max() <= HALF
    directions = normalize(face - skull)
    assert np.einsum("td,td->t", directions, body.head_forward).min() > 0.9999
    for bit, foot in enumerate(FEET):
        assert (back.contacts[:, bit] == body.contacts[foot]).all()


def test_the_joints_of_the_page_are_those_of_the_motion() -> None:
    motion = moving(12)
    points = decode(encode(drawn_clip(motion))).points
    positions = motion.positions()
    for name in POINTS[:-4]:
        joint = canonical().index(name)
        assert np.abs(points[:, POINTS.index(name)] - positions[:, joint]).max() <= HALF


def test_a_clip_that_travels_far_takes_longer_steps_and_never_wraps() -> None:
    points = np.zeros((3, len(POINTS), 3))
    points[:, :, 2] = np.array([0.0, 60.0, -120.0])[:, None]
    far = DrawnClip(points, np.zeros((3, 4), dtype=bool), 30.0)
    record = encode(far)
    assert STEP < record["step"] < 0.004
    assert np.abs(decode(record).points - points).max() <= record["step"] / 2 + 1e-9


@pytest.mark.parametrize("name", ["snapmogen", "humanml3d"])
def test_published_skeletons_can_be_played(name: str) -> None:
    skeleton = load_skeleton(name)
    rotations = np.tile([1.0, 0, 0, 0], (4, skeleton.joint_count, 1))
    clip = drawn_clip(Motion(skeleton, rotations, np.zeros((4, 3)), skeleton.fps))
    assert clip.fps == skeleton.fps
    assert 1.0 < np.ptp(clip.points[0, :, 1]) < 2.2


def test_a_page_holds_every_motion_of_every_prompt_model_and_seed() -> None:
    prompts = played("a person walks", "a person runs")
    data = Page(player_page(["plus", "open"], [3, 4], prompts, "as made")).data
    assert data["models"] == ["plus", "open"] and data["seeds"] == [3, 4]
    assert data["notes"] == "as made"
    for told, prompt in zip(data["prompts"], prompts, strict=True):
        assert (told["id"], told["seconds"], told["text"]) == (prompt.id, 2.0, prompt.text)
        for records, motions in zip(told["clips"], prompt.motions, strict=True):
            for record, motion in zip(records, motions, strict=True):
                wanted = drawn_clip(motion)
                assert (
                    np.abs(decode(record).points - wanted.points).max() <= record["step"] / 2 + 1e-9
                )
                assert (decode(record).contacts == wanted.contacts).all()


def test_a_missing_motion_is_not_left_to_the_page_to_find() -> None:
    with pytest.raises(ValueError, match="p0: 2 models x 3 seeds"):
        player_page(["a", "b"], [1, 2, 3], played("walk", seeds=2))


def test_forty_prompts_of_two_models_and_two_seeds_stay_below_eight_megabytes() -> None:
    motion = moving(120)
    prompts = [PlayedPrompt(f"p{n}", 4.0, "walk " * 10, [[motion] * 2] * 2) for n in range(40)]
    assert len(player_page(["plus", "open"], [1, 2], prompts).encode()) < 8e6


# ---- one file, and harmless


def test_the_page_asks_for_nothing_outside_itself() -> None:
    source = player_page(["plus"], [1], played("walk", models=1, seeds=1))
    page = Page(source)
    for tag, attributes in page.elements:
        for name in ("src", "href", "action", "data", "poster", "srcset"):
            assert attributes.get(name, "data:").startswith("data:"), (tag, attributes)
        assert not [name for name in attributes if name.startswith("on")]
        assert "style" not in attributes, "the policy forbids it"
    assert not re.search(r"url\(|@import", page.texts["style"])
    assert not re.search(r"https?:|//\w+\.\w+/|fetch\(|XMLHttp|import\(", page.texts["script"])
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    assert policy is not None and policy.startswith("default-src 'none'")


def test_the_policy_allows_exactly_this_script_and_style() -> None:
    page = Page(player_page(["plus"], [1], played(VILE[0], models=1, seeds=1)))
    policy = next(a["content"] for _, a in page.elements if "http-equiv" in a)
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.texts[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in policy


@pytest.mark.parametrize("vile", VILE)
def test_no_prompt_or_model_name_becomes_markup(vile: str) -> None:
    harmless = Page(player_page(["m", "n"], [1, 2], played("walk"), "notes"))
    page = Page(player_page([vile, vile + "2"], [1, 2], played(vile), vile))
    assert [tag for tag, _ in page.elements] == [tag for tag, _ in harmless.elements]
    assert page.texts["script"] == harmless.texts["script"]
    assert page.data["prompts"][0]["text"] == vile
    assert page.data["models"] == [vile, vile + "2"] and page.data["notes"] == vile
    assert vile in page.texts["title"]


def test_the_script_never_reads_text_as_markup_or_code() -> None:
    forbidden = r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function"
    assert not re.search(forbidden, script_source())
    assert "</script" not in script_source() and "<!--" not in script_source()


# ---- the script, in node where there is one


def in_node(tmp_path: Path, code: str, data: dict[str, Any]) -> Any:
    """Result of ``code`` (it calls ``done(value)``) after the page's script; no document there."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("no node on the PATH")
    script = tmp_path / "page.js"
    script.write_text(
        f"{script_source()}\n"
        f"const data = {json.dumps(data)};\n"
        "const done = (value) => console.log(JSON.stringify(value));\n"
        f"{code}\n",
        encoding="utf-8",
    )
    run = subprocess.run(
        [node, str(script)], capture_output=True, text=True, timeout=120, check=False
    )
    assert run.returncode == 0, run.stderr
    return json.loads(run.stdout)


def data_of(prompts: list[PlayedPrompt], models: list[str], seeds: list[int]) -> dict[str, Any]:
    return Page(player_page(models, seeds, prompts)).data


def test_the_script_decodes_what_was_encoded(tmp_path: Path) -> None:
    prompts = played("walk", models=1, seeds=1)
    data = data_of(prompts, ["plus"], [1])
    got = in_node(
        tmp_path,
        """
        const clip = decodeClip(data.prompts[0].clips[0][0]);
        done({
          frames: clip.frames, fps: clip.fps,
          points: [...clip.points], standing: [...clip.standing],
          third: poseAt(clip, 3 / clip.fps), between: poseAt(clip, 3.25 / clip.fps),
          after: poseAt(clip, 99), before: poseAt(clip, -1),
        });
        """,
        data,
    )
    wanted = drawn_clip(prompts[0].motions[0][0])
    points = np.array(got["points"]).reshape(got["frames"], len(POINTS), 3)
    assert np.abs(points - wanted.points).max() <= HALF + 1e-6
    bits = np.array(got["standing"])[:, None] >> np.arange(4) & 1
    assert (bits.astype(bool) == wanted.contacts).all()
    assert np.allclose(got["third"], points[3], atol=1e-6)
    assert np.allclose(got["between"], 0.75 * points[3] + 0.25 * points[4], atol=1e-6)
    assert np.allclose(got["after"], points[-1]) and np.allclose(got["before"], points[0])


_RECORDER = """
const palette = { shadowStrength: 0.5 };
const names = "ink grid shadow path contact left right chest back skin hair eyes";
names.split(" ").forEach((name, i) => (palette[name] = [10 + i, 20 + i, 30 + i]));
palette.left = [0, 0, 250];
palette.right = [250, 0, 0];
palette.contact = [0, 250, 0];
function recorder() {
  const calls = {}, colours = new Set();
  let wrong = 0, xs = [];
  const note = (name, args) => {
    calls[name] = (calls[name] || 0) + 1;
    for (const a of args) if (typeof a === "number" && !Number.isFinite(a)) wrong++;
    if (name === "moveTo") xs.push(args[0]);
  };
  const gradient = (...args) => (note("gradient", args), {
    addColorStop: (at, colour) => { note("stop", [at]); colours.add(colour); } });
  const context = new Proxy({}, {
    get: (_, name) => name === "getTransform" ? () => ({ a: 1 })
      : /Gradient/.test(name) ? gradient : (...args) => note(name, args),
    set: (_, name, value) => {
      if (typeof value === "string") colours.add(value);
      if (/NaN|undefined/.test(String(value))) wrong++;
      return true;
    },
  });
  const seen = () => [...colours].map((c) => (c.match(/[\\d.]+/g) || []).slice(0, 3).map(Number));
  return { context, calls, seen, wrong: () => wrong };
}
const body = prepareBody(data.body);
"""


def test_the_figure_is_drawn_from_every_side_and_distance(tmp_path: Path) -> None:
    data = data_of(played("walk", models=1, seeds=1), ["plus"], [1])
    got = in_node(
        tmp_path,
        _RECORDER
        + """
        const clip = decodeClip(data.prompts[0].clips[0][0]);
        const framing = framingOf(clip, body);
        const results = [];
        for (const follow of [true, false])
          for (let azimuth = 0; azimuth < 6.2; azimuth += 0.7)
            for (const elevation of [-0.1, 0.2, 1.5])
              for (const zoom of [0.3, 1, 5]) {
                const r = recorder();
                const room = roomFor([framing], follow);
                const distance = distanceToFit(room.wide, room.high, 0.8) * zoom;
                const seconds = azimuth / 10;
                const target = targetOf(clip, framing, seconds, follow);
                const camera = { target, azimuth, elevation, distance };
                const shown = { clip, body, seconds, camera, trails: true, palette };
                drawScene(r.context, 400, 500, shown);
                const seen = r.seen();
                results.push({
                  wrong: r.wrong(), fills: r.calls.fill, zoom,
                  blue: seen.some(([a, b, c]) => c > 100 && a < 60),
                  red: seen.some(([a, b, c]) => a > 100 && c < 60),
                });
              }
        done(results);
        """,
        data,
    )
    assert len(got) == 2 * 9 * 3 * 3
    assert all(view["wrong"] == 0 for view in got)
    for view in got:
        if view["zoom"] >= 1:
            assert view["blue"] and view["red"] and view["fills"] > 30


def test_only_standing_feet_leave_a_print(tmp_path: Path) -> None:
    data = data_of(played("walk", models=1, seeds=1), ["plus"], [1])
    got = in_node(
        tmp_path,
        _RECORDER
        + """
        const clip = decodeClip(data.prompts[0].clips[0][0]);
        const pose = poseAt(clip, 0);
        const camera = { target: [0, 1, 0], azimuth: 0.5, elevation: 0.2, distance: 6 };
        const view = viewOf(camera, 400, 500);
        done([0, 1, 3, 4, 12, 15].map((standing) => {
          const r = recorder();
          drawFootprints(r.context, view, body, pose, standing, palette);
          return r.calls.fill || 0;
        }));
        """,
        data,
    )
    assert got == [0, 1, 1, 1, 1, 2]


def test_the_camera_keeps_the_figure_in_the_picture(tmp_path: Path) -> None:
    long_way = PlayedPrompt("far", 4.0, "run", [[moving(120, reach=9.0)]])
    data = data_of([long_way], ["plus"], [1])
    got = in_node(
        tmp_path,
        """
        const body = prepareBody(data.body);
        const clip = decodeClip(data.prompts[0].clips[0][0]);
        const framing = framingOf(clip, body);
        const seen = [];
        for (const follow of [true, false])
          for (let frame = 0; frame < clip.frames; frame += 7) {
            const room = roomFor([framing], follow);
            const seconds = frame / clip.fps;
            const view = viewOf({ azimuth: 0.66, elevation: 0.21,
              target: targetOf(clip, framing, seconds, follow),
              distance: distanceToFit(room.wide, room.high, 0.8) }, 400, 500);
            for (const point of poseAt(clip, seconds)) {
              const { x, y } = view.project(point);
              seen.push([x, y]);
            }
          }
        done(seen);
        """,
        data,
    )
    xy = np.array(got)
    assert xy.min() > 0 and xy[:, 0].max() < 400 and xy[:, 1].max() < 500


def test_the_camera_agrees_with_that_of_the_contact_sheets(tmp_path: Path) -> None:
    """Seen from +Z the character's left (+X) is on the right of the picture, up is up."""
    got = in_node(
        tmp_path,
        """
        const view = viewOf({ target: [0, 1, 0], azimuth: 0, elevation: 0, distance: 5 }, 400, 300);
        const aside = viewOf(
          { target: [0, 1, 0], azimuth: Math.PI / 2, elevation: 0, distance: 5 }, 400, 300);
        done([[0, 1, 0], [0.5, 1, 0], [0, 1.5, 0], [0, 1, 1]].map((p) => view.project(p))
          .concat([aside.project([1, 1, 0])]));
        """,
        {},
    )
    middle, left, above, nearer, nearer_aside = got
    assert (middle["x"], middle["y"], middle["z"]) == (200, 150, 5)
    assert left["x"] > 200 and left["y"] == pytest.approx(150)
    assert above["y"] < 150 and above["x"] == pytest.approx(200)
    assert nearer["z"] == pytest.approx(4) and nearer_aside["z"] == pytest.approx(4)


def test_verdicts_are_counted_and_told_as_a_table(tmp_path: Path) -> None:
    data = data_of(played("walk home", "run home", "jump"), ["plus", "open"], [1, 2])
    got = in_node(
        tmp_path,
        """
        const verdicts = new Verdicts(data.prompts, data.models);
        verdicts.give(0, 0, "right");
        verdicts.give(0, 1, "wrong");
        verdicts.give(1, 0, "right");
        verdicts.give(2, 0, "wrong");
        verdicts.give(2, 0, "right"); // changed
        verdicts.give(1, 1, "wrong");
        verdicts.give(1, 1, "wrong"); // taken back
        done({
          table: verdicts.table(), counts: verdicts.counts(0),
          open: matching(data.prompts, verdicts, "", "open"),
          wrong: matching(data.prompts, verdicts, "", "wrong"),
          searched: matching(data.prompts, verdicts, " HOME  ru", "all"),
        });
        """,
        data,
    )
    assert got["table"].splitlines() == [
        "id\tprompt\tplus\topen",
        "p0\twalk home\tright\twrong",
        "p1\trun home\tright\t",
        "p2\tjump\tright\t",
        "total\t\t3 of 3 right\t0 of 3 right",
    ]
    assert got["counts"] == {"right": 3, "wrong": 0}
    assert (got["open"], got["wrong"], got["searched"]) == ([1, 2], [0], [1])


def test_the_time_line_shows_when_each_foot_stands(tmp_path: Path) -> None:
    clip = drawn_clip(moving(8))
    contacts = np.zeros((8, 4), dtype=bool)
    contacts[0:3, 0] = contacts[2:5, 1] = True  # left ankle, then left toe: one run
    contacts[6, 3] = True
    record = encode(DrawnClip(clip.points, contacts, 30.0))
    data = data_of(played("walk", models=1, seeds=1), ["plus"], [1])
    got = in_node(
        tmp_path,
        """
        const feet = prepareBody(data.body).feet;
        const clip = decodeClip(data.record);
        done([standingRuns(clip, feet, "left"), standingRuns(clip, feet, "right"),
          timeAt(8, 216, 4), timeAt(108, 216, 4), timeAt(900, 216, 4)]);
        """,
        {**data, "record": record},
    )
    assert got == [[[0, 4]], [[6, 6]], 0, 2, 4]


# ---- overview pictures


def count_of(image: Image.Image, colour: tuple[int, int, int]) -> int:
    return int((np.abs(np.asarray(image).astype(int) - colour).max(axis=-1) <= 12).sum())


def test_overviews_hold_ten_prompts_a_page_and_all_panels() -> None:
    rows = [(f"p{n}", f"prompt {n}", [moving(6, n), moving(8, n + 50)]) for n in range(12)]
    pages = overview_pages(["plus", "open"], rows)
    assert len(pages) == 2 and ROWS_PER_PAGE == 10
    assert pages[0].width == pages[1].width <= 1500
    assert pages[0].height > 4 * pages[1].height
    row = pages[1].crop((0, 40, pages[1].width, pages[1].height))
    for half in (row.crop((0, 0, row.width // 2, row.height)),
                 row.crop((row.width // 2, 0, row.width, row.height))):  # fmt: skip
        assert count_of(half, LEFT) > 300 and count_of(half, RIGHT) > 300
    assert count_of(row, CONTACT) > 0


def test_an_overview_needs_a_motion_for_every_panel() -> None:
    with pytest.raises(ValueError):
        overview_pages(["plus", "open"], [("p", "walk", [moving(4)])])
