// The time line: when each foot stands, in a lane per foot and model; it is the scrub bar, too.

const LANE = 5; // pixels
const LANE_GAP = 2;
const MODEL_GAP = 7;
const TICKS = 18;
const EDGE = 8; // room for the handle at both ends

function timelineHeight(models) {
  return models * (2 * LANE + LANE_GAP) + (models - 1) * MODEL_GAP + TICKS + 8;
}

/** Runs of frames in which the foot of a side stands: [first, last] pairs. */
function standingRuns(clip, feet, side) {
  const mask = feet.reduce((bits, foot, i) => (foot.side === side ? bits | (1 << i) : bits), 0);
  const runs = [];
  for (let frame = 0; frame < clip.frames; frame++) {
    if (!(clip.standing[frame] & mask)) continue;
    const last = runs[runs.length - 1];
    if (last && last[1] === frame - 1) last[1] = frame;
    else runs.push([frame, frame]);
  }
  return runs;
}

function drawTimeline(context, width, height, { clips, body, seconds, duration, palette }) {
  context.clearRect(0, 0, width, height);
  const room = width - 2 * EDGE;
  const xOf = (time) => EDGE + (room * time) / (duration || 1);
  let top = 4;
  for (const clip of clips) {
    for (const side of ["left", "right"]) {
      context.fillStyle = rgba(palette.grid, 0.35);
      context.fillRect(EDGE, top, room, LANE);
      context.fillStyle = rgb(palette[side]);
      for (const [first, last] of standingRuns(clip, body.feet, side)) {
        const from = xOf(Math.max(0, first - 0.5) / clip.fps);
        const to = xOf(Math.min(clip.frames - 1, last + 0.5) / clip.fps);
        context.fillRect(from, top, Math.max(1, to - from), LANE);
      }
      top += LANE + LANE_GAP;
    }
    top += MODEL_GAP - LANE_GAP;
  }
  const bottom = top - MODEL_GAP;
  context.fillStyle = rgba(palette.path, 0.9);
  context.strokeStyle = rgba(palette.path, 0.5);
  context.lineWidth = 1;
  context.font = "11px system-ui, sans-serif";
  context.textAlign = "center";
  context.beginPath();
  for (let time = 0; time <= duration + 1e-6; time += 0.5) {
    const whole = Math.abs(time - Math.round(time)) < 1e-6;
    context.moveTo(xOf(time), bottom + 4);
    context.lineTo(xOf(time), bottom + (whole ? 8 : 6));
    const fits = time === 0 || duration - time > -1e-6;
    if (whole && fits) context.fillText(`${time.toFixed(0)} s`, Math.max(xOf(time), 14), bottom + 19);
  }
  context.stroke();
  const x = xOf(seconds);
  context.strokeStyle = rgb(palette.ink);
  context.lineWidth = 2;
  context.beginPath();
  context.moveTo(x, 1);
  context.lineTo(x, bottom + 4);
  context.stroke();
  context.fillStyle = rgb(palette.ink);
  context.beginPath();
  context.arc(x, bottom + 4, 4.5, 0, 2 * Math.PI);
  context.fill();
}

/** The time under a pointer's x. */
function timeAt(x, width, duration) {
  return Math.min(Math.max((x - EDGE) / (width - 2 * EDGE), 0), 1) * duration;
}
