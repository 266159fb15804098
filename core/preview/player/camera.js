// Vectors and the camera. World: metres, Y up. View: right, up, towards the viewer.

const FIELD_OF_VIEW = (26 * Math.PI) / 180; // narrow: limbs keep their proportions
const NEAREST = 0.25; // metres before the eye; nothing nearer is drawn

const subtract = (a, b) => [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
const dot = (a, b) => a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
const mixed = (a, b, share) => a.map((value, i) => value + (b[i] - value) * share);
const onFloor = (point) => [point[0], 0, point[2]];
const cross = (a, b) => [
  a[1] * b[2] - a[2] * b[1],
  a[2] * b[0] - a[0] * b[2],
  a[0] * b[1] - a[1] * b[0],
];

function unit(vector) {
  const length = Math.hypot(...vector) || 1;
  return vector.map((value) => value / length);
}

/** The view of a camera {target, azimuth, elevation, distance} in a picture of width x height. */
function viewOf(camera, width, height) {
  const [sa, ca] = [Math.sin(camera.azimuth), Math.cos(camera.azimuth)];
  const [se, ce] = [Math.sin(camera.elevation), Math.cos(camera.elevation)];
  const back = [ce * sa, se, ce * ca];
  const right = [ca, 0, -sa];
  const up = cross(back, right);
  const focal = height / (2 * Math.tan(FIELD_OF_VIEW / 2));
  return {
    width,
    height,
    /** {x, y} in pixels, z metres before the eye, scale in pixels per metre there. */
    project(point) {
      const offset = subtract(point, camera.target);
      const z = camera.distance - dot(offset, back);
      const scale = focal / Math.max(z, NEAREST);
      return {
        x: width / 2 + dot(offset, right) * scale,
        y: height / 2 - dot(offset, up) * scale,
        z,
        scale,
      };
    },
    /** A direction of the world in view axes. */
    direction: (vector) => [dot(vector, right), dot(vector, up), dot(vector, back)],
    up,
    right,
  };
}

/** Metres of distance at which a width x height of the world fits the picture. */
function distanceToFit(wide, high, aspect) {
  return Math.max(high, wide / aspect) / (2 * Math.tan(FIELD_OF_VIEW / 2));
}
