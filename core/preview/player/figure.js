// The figure: limbs in the colours of their side, a torso, a head that shows where it looks.

/** The body's table (see clips.py) with names turned into indices. */
function prepareBody(table) {
  const index = Object.fromEntries(table.points.map((name, i) => [name, i]));
  const sideOf = (name) => (name.startsWith("left_") ? "left" : "right");
  const limbs = table.limbs.map(([from, to, ra, rb]) => ({
    from: index[from],
    to: index[to],
    ra,
    rb,
    side: sideOf(from),
  }));
  for (const side of ["left", "right"]) {
    const [from, to] = [index[`${side}_wrist`], index[`${side}_hand`]];
    limbs.push({ from, to, ra: 0.03, rb: 0.036, side, stretch: 1.35 });
  }
  return {
    index,
    limbs,
    torso: table.torso.map(([name, radius]) => ({ at: index[name], radius })),
    headRadius: table.head_radius,
    feet: table.feet.map((name) => ({ at: index[name], side: sideOf(name) })),
  };
}

/** The ways of a limb's two ends; hands reach a little beyond their middle. */
function limbEnds(limb, pose) {
  const from = pose[limb.from];
  const to = pose[limb.to];
  return [from, limb.stretch ? mixed(from, to, limb.stretch) : to];
}

/** Draw a pose; the part that is furthest away first. */
function drawFigure(context, view, body, pose, palette) {
  const depth = (...points) =>
    points.reduce((sum, point) => sum + view.project(point).z, 0) / points.length;
  const parts = [];
  for (const limb of body.limbs) {
    const [from, to] = limbEnds(limb, pose);
    const draw = () => drawCapsule(context, view, from, to, limb.ra, limb.rb, palette[limb.side]);
    parts.push({ z: depth(from, to), draw });
  }
  const torso = body.torso.map(({ at }) => pose[at]);
  parts.push({ z: depth(...torso), draw: () => drawTorso(context, view, body, pose, palette) });
  const at = (name) => pose[body.index[name]];
  const [neck, head] = [at("neck"), at("head")];
  const drawNeck = () => drawCapsule(context, view, neck, head, 0.05, 0.048, palette.skin);
  // The neck ends inside the head, so it never lies before it unless it is seen from below.
  parts.push({ z: depth(neck, head) + 0.03, draw: drawNeck });
  const drawSkull = () => drawHead(context, view, body, pose, palette);
  parts.push({ z: depth(at("skull")) - 0.02, draw: drawSkull });
  parts.sort((a, b) => b.z - a.z);
  for (const part of parts) part.draw();
}

function drawTorso(context, view, body, pose, palette) {
  const at = (name) => pose[body.index[name]];
  const sideways = subtract(at("left_shoulder"), at("right_shoulder"));
  const upwards = subtract(at("spine3"), at("pelvis"));
  const front = view.direction(unit(cross(sideways, upwards)))[2];
  // Light chest, darker back: which way it faces can be seen without a face.
  const colour = mixed(palette.back, palette.chest, Math.min(1, Math.max(0, 0.5 + 2.2 * front)));
  const discs = (more) => body.torso.map(({ at, radius }) => disc(view.project(pose[at]), radius, more));
  const solid = discs(0);
  if (body.torso.some(({ at }) => view.project(pose[at]).z < NEAREST)) return;
  context.fillStyle = outlineOf(colour);
  context.beginPath();
  polygonPath(context, hullOfDiscs(discs(OUTLINE_METRES)));
  context.fill();
  const [low, high] = [view.project(at("pelvis")), view.project(at("neck"))];
  const axis = unit(view.direction(subtract(at("neck"), at("pelvis"))));
  const length = Math.hypot(high.x - low.x, high.y - low.y) || 1;
  const across = [-(high.y - low.y) / length, (high.x - low.x) / length];
  const reach = solid.map(
    ({ x, y, r }) => Math.abs((x - low.x) * across[0] + (y - low.y) * across[1]) + r,
  );
  context.fillStyle = cylinderShade(context, low, high, axis, Math.max(...reach), colour);
  context.beginPath();
  polygonPath(context, hullOfDiscs(solid));
  context.fill();
}

const FACE_ANGLE = 1.02; // radians from the middle of the face to its rim

/** Skull, face, nose and eyes: a cap on a ball, right from every side. */
function drawHead(context, view, body, pose, palette) {
  const at = (name) => pose[body.index[name]];
  const radius = body.headRadius;
  const centre = view.project(at("skull"));
  if (centre.z < NEAREST) return;
  const r = radius * centre.scale;
  const forward = unit(view.direction(subtract(at("face"), at("skull"))));
  const headUp = unit(view.direction(subtract(at("skull"), at("head"))));
  const left = unit(cross(headUp, forward));
  const up = cross(forward, left);
  const pixel = (n, reach = 1) => [centre.x + n[0] * r * reach, centre.y - n[1] * r * reach];
  const ball = (colour, more = 0) => {
    context.fillStyle = colour;
    context.beginPath();
    context.arc(centre.x, centre.y, r + more, 0, 2 * Math.PI);
    context.fill();
  };
  const noseAt = (reach, size) => {
    const [x, y] = pixel(forward, reach);
    return { x, y, r: r * size };
  };
  const drawNose = () => {
    context.fillStyle = rgb(palette.skin.map((value) => value * 0.66));
    capsulePath(context, noseAt(0.85, 0.24), noseAt(1.24, 0.14));
    context.fill();
    context.fillStyle = rgb(lit(palette.skin, unit(mixed(forward, LIGHT, 0.4))));
    capsulePath(context, noseAt(0.85, 0.2), noseAt(1.24, 0.09));
    context.fill();
  };
  if (forward[2] <= 0) drawNose();
  ball(outlineOf(palette.hair), OUTLINE_METRES * centre.scale);
  ball(ballShade(context, centre.x, centre.y, r, palette.hair));
  const onCap = (turn) => {
    const [c, s] = [Math.cos(turn) * Math.sin(FACE_ANGLE), Math.sin(turn) * Math.sin(FACE_ANGLE)];
    return forward.map((f, i) => f * Math.cos(FACE_ANGLE) + left[i] * c + up[i] * s);
  };
  const rim = TURNS.map(onCap).filter((n) => n[2] >= 0);
  const limb = CIRCLE.filter(
    ([c, s]) => c * forward[0] + s * forward[1] >= Math.cos(FACE_ANGLE),
  );
  const face = [...rim, ...limb].map((n) => pixel(n));
  if (face.length > 2) {
    context.fillStyle = ballShade(context, centre.x, centre.y, r, palette.skin);
    context.beginPath();
    polygonPath(context, convexHull(face));
    context.fill();
  }
  for (const side of [-1, 1]) {
    const eye = unit(forward.map((f, i) => f + 0.42 * side * left[i] + 0.22 * up[i]));
    if (eye[2] < 0.2) continue;
    const [x, y] = pixel(eye);
    context.fillStyle = rgb(palette.eyes);
    context.beginPath();
    context.arc(x, y, Math.max(0.6, r * 0.1), 0, 2 * Math.PI);
    context.fill();
  }
  if (forward[2] > 0) drawNose();
}
