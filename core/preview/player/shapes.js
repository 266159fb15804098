// Lit solids on a 2D canvas: tapered capsules, balls and convex bodies.

// From the viewer's upper left.
const LIGHT = unit([-0.45, 0.72, 0.62]);

const rgb = (colour) =>
  `rgb(${colour.map((value) => Math.round(Math.min(255, Math.max(0, value)))).join(",")})`;
const rgba = (colour, alpha) => `rgba(${colour.map(Math.round).join(",")},${alpha})`;

/** A colour on a surface with this normal (view axes). */
function lit(colour, normal) {
  const facing = dot(normal, LIGHT);
  const diffuse = Math.max(0, facing);
  const bounce = 0.1 * Math.max(0, -normal[1]); // light that comes back from the floor
  const gloss = 0.13 * Math.pow(diffuse, 8);
  const level = 0.62 + 0.4 * diffuse + bounce;
  return colour.map((value) => value * level + 255 * gloss);
}

const OUTLINE_SHARE = 0.42; // how much of a part's own colour its outline keeps
const OUTLINE_METRES = 0.009;
const outlineOf = (colour) => rgb(colour.map((value) => value * OUTLINE_SHARE));

/** Path around two discs {x, y, r}. */
function capsulePath(context, a, b) {
  context.beginPath();
  const distance = Math.hypot(b.x - a.x, b.y - a.y);
  if (distance <= Math.abs(a.r - b.r) + 1e-6) {
    const large = a.r > b.r ? a : b;
    context.arc(large.x, large.y, large.r, 0, 2 * Math.PI);
    return;
  }
  const along = Math.atan2(b.y - a.y, b.x - a.x);
  const open = Math.acos((a.r - b.r) / distance);
  context.arc(a.x, a.y, a.r, along + open, along - open + 2 * Math.PI);
  context.arc(b.x, b.y, b.r, along - open, along + open);
  context.closePath();
}

const disc = (projected, metres, more = 0) => ({
  x: projected.x,
  y: projected.y,
  r: Math.max(0.5, (metres + more) * projected.scale),
});

/**
 * A gradient across a capsule from `a` to `b` (projected ends), lit like a cylinder.
 * `axis` is its direction in view axes, `half` half its width in pixels.
 */
function cylinderShade(context, a, b, axis, half, colour) {
  let across = [-(b.y - a.y), b.x - a.x]; // pixels; y downwards
  const length = Math.hypot(...across);
  across = length > 1e-6 ? across.map((value) => value / length) : [1, 0];
  const side = [across[0], -across[1], 0]; // the same in view axes
  let front = unit(cross(side, axis));
  if (front[2] < 0) front = front.map((value) => -value);
  const middle = [(a.x + b.x) / 2, (a.y + b.y) / 2];
  const gradient = context.createLinearGradient(
    middle[0] - across[0] * half,
    middle[1] - across[1] * half,
    middle[0] + across[0] * half,
    middle[1] + across[1] * half,
  );
  for (const u of [-1, -0.7, -0.35, 0, 0.35, 0.7, 1]) {
    const height = Math.sqrt(1 - u * u);
    const normal = side.map((value, i) => u * value + height * front[i]);
    gradient.addColorStop((u + 1) / 2, rgb(lit(colour, normal)));
  }
  return gradient;
}

/** A gradient on a ball at pixel (x, y) with radius r. */
function ballShade(context, x, y, r, colour, alpha = 1) {
  const [hx, hy] = [x + LIGHT[0] * r * 0.55, y - LIGHT[1] * r * 0.55];
  const gradient = context.createRadialGradient(hx, hy, 0, x, y, r * 1.02);
  for (const share of [0, 0.35, 0.7, 1]) {
    // From the brightest point towards the rim that turns away from the light.
    const normal = unit(mixed(LIGHT, [-LIGHT[0], -LIGHT[1], 0.1], share * 0.62));
    const shade = lit(colour, normal);
    gradient.addColorStop(share, alpha < 1 ? rgba(shade.map((v) => Math.min(255, v)), alpha) : rgb(shade));
  }
  return gradient;
}

/** A tapered capsule between points [x, y, z] with a radius in metres at each end. */
function drawCapsule(context, view, from, to, ra, rb, colour) {
  const [a, b] = [view.project(from), view.project(to)];
  if (Math.min(a.z, b.z) < NEAREST) return;
  context.fillStyle = outlineOf(colour);
  capsulePath(context, disc(a, ra, OUTLINE_METRES), disc(b, rb, OUTLINE_METRES));
  context.fill();
  const axis = unit(view.direction(subtract(to, from)));
  const half = Math.max(ra * a.scale, rb * b.scale);
  context.fillStyle = cylinderShade(context, a, b, axis, half, colour);
  capsulePath(context, disc(a, ra), disc(b, rb));
  context.fill();
  // Seen from an end it is a ball, not a bar.
  const towards = Math.abs(axis[2]);
  if (towards > 0.55) {
    const near = axis[2] > 0 ? disc(b, rb) : disc(a, ra);
    const alpha = Math.min(1, (towards - 0.55) / 0.35);
    context.fillStyle = ballShade(context, near.x, near.y, near.r, colour, alpha);
    context.beginPath();
    context.arc(near.x, near.y, near.r, 0, 2 * Math.PI);
    context.fill();
  }
}

/** Corners of the convex hull of points [x, y] (monotone chain), anticlockwise. */
function convexHull(points) {
  const ordered = points.slice().sort((p, q) => p[0] - q[0] || p[1] - q[1]);
  const chain = (list) => {
    const kept = [];
    for (const point of list) {
      while (kept.length > 1) {
        const [a, b] = kept.slice(-2);
        const turn = (b[0] - a[0]) * (point[1] - a[1]) - (b[1] - a[1]) * (point[0] - a[0]);
        if (turn > 0) break;
        kept.pop();
      }
      kept.push(point);
    }
    return kept.slice(0, -1);
  };
  return [...chain(ordered), ...chain(ordered.reverse())];
}

function polygonPath(context, corners) {
  corners.forEach(([x, y], i) => (i ? context.lineTo(x, y) : context.moveTo(x, y)));
  context.closePath();
}

const TURNS = Array.from({ length: 18 }, (_, i) => (i * 2 * Math.PI) / 18);
const CIRCLE = TURNS.map((turn) => [Math.cos(turn), Math.sin(turn)]);

/** Hull of discs {x, y, r} in pixels. */
function hullOfDiscs(discs) {
  return convexHull(discs.flatMap(({ x, y, r }) => CIRCLE.map(([c, s]) => [x + r * c, y + r * s])));
}
