// Floor, shadow, footprints of standing feet, the way of the hips, trails of hands and feet.

const GRID_STEP = 0.5; // metres
const GRID_TONES = 8;

/** Squares of half a metre that fade out at `reach` metres from the camera's target. */
function drawGrid(context, view, target, reach, palette) {
  const middle = [0, 2].map((axis) => Math.round(target[axis] / GRID_STEP) * GRID_STEP);
  const count = Math.ceil(reach / GRID_STEP);
  const paths = Array.from({ length: 2 * GRID_TONES }, () => []);
  for (let i = -count; i <= count; i++) {
    for (let j = -count; j < count; j++) {
      for (const turned of [false, true]) {
        const point = (a, b) => {
          const [u, v] = turned ? [b, a] : [a, b];
          return [middle[0] + u * GRID_STEP, 0, middle[1] + v * GRID_STEP];
        };
        const [from, to] = [point(i, j), point(i, j + 1)];
        const away = Math.hypot(
          (from[0] + to[0]) / 2 - target[0],
          (from[2] + to[2]) / 2 - target[2],
        );
        const tone = Math.floor(GRID_TONES * (1 - away / reach));
        if (tone < 0) continue;
        const [a, b] = [view.project(from), view.project(to)];
        if (Math.min(a.z, b.z) < NEAREST) continue;
        const metre = Math.round((turned ? from[2] : from[0]) / GRID_STEP) % 2 === 0;
        paths[Math.min(tone, GRID_TONES - 1) + (metre ? GRID_TONES : 0)].push([a, b]);
      }
    }
  }
  paths.forEach((lines, tone) => {
    if (!lines.length) return;
    const strong = tone >= GRID_TONES;
    const share = ((tone % GRID_TONES) + 1) / GRID_TONES;
    context.strokeStyle = rgba(palette.grid, (strong ? 0.9 : 0.45) * Math.pow(share, 0.8));
    context.lineWidth = 1;
    context.beginPath();
    for (const [a, b] of lines) {
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
    }
    context.stroke();
  });
}

/** Pixels around a circle that lies on the floor. */
function floorCircle(view, point, metres) {
  return CIRCLE.map(([c, s]) => {
    const { x, y } = view.project([point[0] + metres * c, 0, point[2] + metres * s]);
    return [x, y];
  });
}

const OFF_PICTURE = 20000; // pixels to the left, where the shapes that cast the soft shadow lie

/** The figure straight below itself, soft at the rim: how high it is, and where. */
function drawShadow(context, view, body, pose, palette) {
  const shapes = body.limbs.map((limb) => {
    const [from, to] = limbEnds(limb, pose);
    return [[from, limb.ra], [to, limb.rb]];
  });
  shapes.push(body.torso.map(({ at, radius }) => [pose[at], radius]));
  shapes.push([[pose[body.index.skull], body.headRadius]]);
  const middle = view.project(onFloor(pose[body.index.pelvis]));
  const near = shapes.flat().some(([point]) => view.project(onFloor(point)).z < 2 * NEAREST);
  if (near) return;
  context.save();
  // Only the blurred copy of the shapes falls into the picture. Its offset and blur are counted in
  // the canvas's own pixels, whatever the transform.
  const ratio = context.getTransform().a;
  context.shadowColor = rgba(palette.shadow, palette.shadowStrength);
  context.shadowBlur = 0.07 * middle.scale * ratio;
  context.shadowOffsetX = OFF_PICTURE * ratio;
  context.fillStyle = rgb(palette.shadow);
  context.beginPath();
  for (const shape of shapes) {
    const rims = shape.flatMap(([point, r]) => floorCircle(view, point, r * 0.9));
    polygonPath(context, convexHull(rims).map(([x, y]) => [x - OFF_PICTURE, y]));
  }
  context.fill();
  context.restore();
}

/** A print under every foot that stands: heel, toe or the whole sole. */
function drawFootprints(context, view, body, pose, standing, palette) {
  for (const side of ["left", "right"]) {
    const rims = body.feet
      .map((foot, bit) => ({ ...foot, stands: (standing >> bit) & 1 }))
      .filter((foot) => foot.side === side && foot.stands)
      .flatMap((foot) => floorCircle(view, pose[foot.at], 0.075));
    if (!rims.length) continue;
    context.beginPath();
    polygonPath(context, convexHull(rims));
    context.fillStyle = rgba(palette.contact, 0.38);
    context.fill();
    context.strokeStyle = rgba(palette.contact, 0.95);
    context.lineWidth = 1.5;
    context.stroke();
  }
}

/** The way of the hips on the floor: gone, to come, and a dot for every second. */
function drawRootPath(context, view, body, clip, seconds, palette) {
  const hips = body.index.pelvis;
  const now = frameAt(clip, seconds);
  const line = (first, last, alpha, width) => {
    context.strokeStyle = rgba(palette.path, alpha);
    context.lineWidth = width;
    context.beginPath();
    let pen = false;
    for (let frame = first; frame <= last; frame++) {
      const { x, y, z } = view.project(onFloor(pointAt(clip, hips, frame)));
      if (z < NEAREST) pen = false;
      else if (pen) context.lineTo(x, y);
      else context.moveTo(x, y);
      pen = pen || z >= NEAREST;
    }
    context.stroke();
  };
  line(now, clip.frames - 1, 0.32, 1.25);
  line(0, now, 0.95, 2);
  for (let second = 0; second <= lastSecond(clip) + 1e-6; second++) {
    const frame = frameAt(clip, second);
    const { x, y, z } = view.project(onFloor(pointAt(clip, hips, frame)));
    if (z < NEAREST) continue;
    context.fillStyle = rgba(palette.path, frame <= now ? 0.95 : 0.4);
    context.beginPath();
    context.arc(x, y, 2.6, 0, 2 * Math.PI);
    context.fill();
  }
}

const TRAIL_SECONDS = 0.5;

/** Where hands and feet were in the last half second. */
function drawTrails(context, view, body, clip, seconds, palette) {
  const now = frameAt(clip, seconds);
  const first = Math.max(0, now - Math.round(TRAIL_SECONDS * clip.fps));
  context.lineWidth = 1.6;
  for (const name of ["left_hand", "right_hand", "left_ankle", "right_ankle"]) {
    const colour = palette[name.split("_")[0]];
    for (let frame = first; frame < now; frame++) {
      const a = view.project(pointAt(clip, body.index[name], frame));
      const b = view.project(pointAt(clip, body.index[name], frame + 1));
      if (Math.min(a.z, b.z) < NEAREST) continue;
      context.strokeStyle = rgba(colour, 0.65 * ((frame - first + 1) / (now - first)));
      context.beginPath();
      context.moveTo(a.x, a.y);
      context.lineTo(b.x, b.y);
      context.stroke();
    }
  }
}
