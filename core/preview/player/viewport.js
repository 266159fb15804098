// One model's picture: where the camera looks, and everything that is drawn for a time.

const EYE_LEVEL = 0.92; // metres above the floor
const FIGURE_HIGH = 2.5; // metres of the world in a picture that follows the figure
const CALM_SECONDS = 0.5; // the following camera averages over this much time

/** What a clip needs to be framed: the smoothed way of the hips and the room it takes. */
function framingOf(clip, body) {
  const hips = body.index.pelvis;
  const half = Math.max(1, Math.round((CALM_SECONDS * clip.fps) / 2));
  const way = [];
  for (let frame = 0; frame < clip.frames; frame++) {
    const sum = [0, 0];
    for (let near = -half; near <= half; near++) {
      const held = Math.min(Math.max(frame + near, 0), clip.frames - 1);
      const [x, , z] = pointAt(clip, hips, held);
      sum[0] += x;
      sum[1] += z;
    }
    way.push(sum.map((value) => value / (2 * half + 1)));
  }
  const [low, high] = [[Infinity, Infinity, Infinity], [-Infinity, -Infinity, -Infinity]];
  for (let i = 0; i < clip.points.length; i++) {
    low[i % 3] = Math.min(low[i % 3], clip.points[i]);
    high[i % 3] = Math.max(high[i % 3], clip.points[i]);
  }
  return { way, low, high };
}

/** The point that the camera looks at: on the figure's way, or the middle of the whole clip. */
function targetOf(clip, framing, seconds, follow) {
  if (!follow) {
    const { low, high } = framing;
    return [(low[0] + high[0]) / 2, EYE_LEVEL, (low[2] + high[2]) / 2];
  }
  const at = Math.min(Math.max(seconds * clip.fps, 0), clip.frames - 1);
  const before = framing.way[Math.floor(at)];
  const after = framing.way[Math.min(Math.floor(at) + 1, clip.frames - 1)];
  const [x, z] = mixed(before, after, at - Math.floor(at));
  return [x, EYE_LEVEL, z];
}

/** Metres of the world that have to fit, wide and high. */
function roomFor(framings, follow) {
  const tallest = Math.max(...framings.map(({ high }) => high[1]));
  const high = Math.max(FIGURE_HIGH, 2 * (tallest + 0.25 - EYE_LEVEL));
  if (follow) return { wide: 2.1, high };
  const wide = Math.max(
    ...framings.map(({ low, high }) => Math.hypot(high[0] - low[0], high[2] - low[2])),
  );
  return { wide: wide + 0.5, high: Math.max(high, 0.75 * wide) };
}

/** A canvas as sharp as the screen; returns its context and its size in CSS pixels. */
function fitCanvas(canvas) {
  const ratio = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  const [w, h] = [Math.round(width * ratio), Math.round(height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const context = canvas.getContext("2d");
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  return { context, width, height };
}

/** Draw a clip at a time. `shown`: {clip, body, seconds, camera, trails, palette}. */
function drawScene(context, width, height, shown) {
  const { clip, body, seconds, camera, palette } = shown;
  const view = viewOf(camera, width, height);
  context.clearRect(0, 0, width, height);
  context.lineCap = "round";
  context.lineJoin = "round";
  const pose = poseAt(clip, seconds);
  drawGrid(context, view, camera.target, Math.max(4.5, 0.62 * camera.distance), palette);
  drawShadow(context, view, body, pose, palette);
  drawRootPath(context, view, body, clip, seconds, palette);
  const standing = clip.standing[frameAt(clip, seconds)];
  drawFootprints(context, view, body, pose, standing, palette);
  if (shown.trails) drawTrails(context, view, body, clip, seconds, palette);
  drawFigure(context, view, body, pose, palette);
}
