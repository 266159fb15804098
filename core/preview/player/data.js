// What the page was made with: JSON in an element of its own, motions as base64.

function readData() {
  return JSON.parse(document.getElementById("data").textContent);
}

function bytesOf(base64) {
  const text = atob(base64);
  const bytes = new Uint8Array(text.length);
  for (let i = 0; i < text.length; i++) bytes[i] = text.charCodeAt(i);
  return bytes;
}

/** A clip's record -> {fps, frames, points: Float32Array [frames * points * 3] in metres, standing}. */
function decodeClip(record) {
  const view = new DataView(bytesOf(record.points).buffer);
  const points = new Float32Array(view.byteLength / 2);
  for (let i = 0; i < points.length; i++) points[i] = view.getInt16(2 * i, true) * record.step;
  return {
    fps: record.fps,
    frames: record.frames,
    width: points.length / record.frames,
    points,
    standing: bytesOf(record.contacts), // bit n: the n-th of body.feet stands
  };
}

/** All points of a clip at a time in seconds, frames blended: slow motion stays smooth. */
function poseAt(clip, seconds) {
  const at = Math.min(Math.max(seconds * clip.fps, 0), clip.frames - 1);
  const low = Math.min(Math.floor(at), Math.max(clip.frames - 2, 0));
  const high = Math.min(low + 1, clip.frames - 1);
  const share = at - low;
  const a = low * clip.width;
  const b = high * clip.width;
  const pose = new Array(clip.width / 3);
  for (let i = 0; i < pose.length; i++) {
    const point = [0, 0, 0];
    for (let axis = 0; axis < 3; axis++) {
      const from = clip.points[a + 3 * i + axis];
      point[axis] = from + (clip.points[b + 3 * i + axis] - from) * share;
    }
    pose[i] = point;
  }
  return pose;
}

function frameAt(clip, seconds) {
  return Math.min(Math.max(Math.round(seconds * clip.fps), 0), clip.frames - 1);
}

/** Where point `index` is in frame `frame`. */
function pointAt(clip, index, frame) {
  const at = frame * clip.width + 3 * index;
  return [clip.points[at], clip.points[at + 1], clip.points[at + 2]];
}

/** Last frame's time: the clip's length on the time line. */
function lastSecond(clip) {
  return (clip.frames - 1) / clip.fps;
}
