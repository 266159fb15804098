// The page: state, controls, keys, and one clock for all pictures.

const START = { azimuth: (38 * Math.PI) / 180, elevation: (12 * Math.PI) / 180, zoom: 1 };
const SPEEDS = [0.1, 0.25, 0.5, 1, 2];

function start() {
  const data = readData();
  const { prompts, models, seeds } = data;
  const body = prepareBody(data.body);
  const verdicts = new Verdicts(prompts, models);
  const $ = (id) => document.getElementById(id);
  const state = {
    prompt: 0, seed: 0, seconds: 0, playing: true, speed: 1, follow: true, trails: false,
    ...START, pan: [0, 0], clips: [], framings: [], duration: 0, filter: "all", copied: true,
  };
  let palette = readPalette();
  let drawn = false; // whether the pictures show the state

  // ---- what is fixed for the page

  $("notes").textContent = data.notes;
  $("counts").textContent = [
    `${prompts.length} prompt${prompts.length === 1 ? "" : "s"}`,
    models.join(" and "),
    `${seeds.length} seed${seeds.length === 1 ? "" : "s"}`,
  ].join(" · ");
  const rows = prompts.map((prompt, i) => {
    const row = promptRow(prompt, models);
    row.firstChild.addEventListener("click", () => choose(i));
    return row;
  });
  $("prompts").append(...rows);
  const seedButtons = seeds.map((seed, i) => {
    const button = element("button", "", String(seed), { type: "button", title: `Seed ${seed} (${i + 1})` });
    button.addEventListener("click", () => chooseSeed(i));
    return button;
  });
  $("seeds").append(...seedButtons);
  $("seed-choice").hidden = seeds.length < 2;
  for (const speed of SPEEDS) {
    $("speed").append(element("option", "", `${speed}×`, { value: speed }));
  }
  $("speed").value = "1";
  const pictures = models.map((model, i) => makePicture(model, i));
  $("stage").append(...pictures.map((picture) => picture.frame));
  $("timeline").style.height = `${timelineHeight(models.length)}px`;

  function makePicture(model, i) {
    const frame = element("figure", "picture");
    const bar = element("figcaption");
    if (models.length > 1) bar.append(element("b", "letter", "AB"[i] || String(i + 1)));
    bar.append(element("span", "model", model));
    const keys = [["q", "w"], ["o", "p"]][i] || ["", ""];
    const choice = element("span", "verdict", "", { role: "group", "aria-label": `Verdict on ${model}` });
    const buttons = VERDICTS.map((verdict, v) => {
      const button = element("button", verdict, verdict === "right" ? "Right" : "Wrong", {
        type: "button", title: keys[v] ? `Key ${keys[v].toUpperCase()}` : "",
      });
      button.addEventListener("click", () => judge(i, verdict));
      return button;
    });
    choice.append(...buttons);
    bar.append(choice);
    const canvas = element("canvas", "", "", { role: "img" });
    frame.append(bar, canvas);
    watchPointer(canvas);
    return { frame, canvas, buttons };
  }

  // ---- changes of the state

  function choose(index) {
    state.prompt = index;
    state.seconds = 0;
    showClips();
    const prompt = prompts[index];
    $("prompt-id").textContent = prompt.id;
    $("prompt-text").textContent = prompt.text;
    $("prompt-length").textContent = `${prompt.seconds} s`;
    rows.forEach((row, i) => row.firstChild.setAttribute("aria-current", String(i === index)));
    rows[index].scrollIntoView({ block: "nearest" });
    try {
      history.replaceState(null, "", `#${encodeURIComponent(prompt.id)}`);
    } catch {
      // Inside another page the address is not ours to change.
    }
    showVerdicts();
  }

  function chooseSeed(index) {
    state.seed = index;
    showClips();
  }

  function showClips() {
    state.clips = prompts[state.prompt].clips.map((each) => decodeClip(each[state.seed]));
    state.framings = state.clips.map((clip) => framingOf(clip, body));
    state.duration = Math.max(...state.clips.map(lastSecond));
    seedButtons.forEach((button, i) => button.setAttribute("aria-pressed", String(i === state.seed)));
    pictures.forEach(({ canvas }, i) => {
      canvas.setAttribute("aria-label", `${models[i]}: ${prompts[state.prompt].text}`);
    });
    redraw();
  }

  function judge(model, verdict) {
    if (model >= models.length) return;
    verdicts.give(state.prompt, model, verdict);
    state.copied = false;
    showVerdicts();
  }

  function showVerdicts() {
    rows.forEach((row, i) => showMarks(row, verdicts, i));
    pictures.forEach(({ buttons, frame }, i) => {
      const given = verdicts.of(state.prompt, i);
      frame.dataset.verdict = given;
      buttons.forEach((button, v) => button.setAttribute("aria-pressed", String(VERDICTS[v] === given)));
    });
    $("score").replaceChildren(...models.map((model, i) => {
      const { right, wrong } = verdicts.counts(i);
      const line = element("div", "score-line");
      line.append(element("span", "score-model", model), element("span", "", `${right} right, ${wrong} wrong`));
      return line;
    }));
    filterList();
  }

  function filterList() {
    const shown = new Set(matching(prompts, verdicts, $("search").value, state.filter));
    rows.forEach((row, i) => (row.hidden = !shown.has(i)));
    $("nothing").hidden = shown.size > 0;
  }

  /** Go to the next or previous prompt that the list shows. */
  function step(by, wanted = () => true) {
    const count = prompts.length;
    for (let n = 1; n <= count; n++) {
      const index = (state.prompt + by * n + count * n) % count;
      if (!rows[index].hidden && wanted(index)) return choose(index);
    }
  }

  function play(on) {
    state.playing = on;
    $("play").setAttribute("aria-pressed", String(on));
    $("play").title = on ? "Pause (Space)" : "Play (Space)";
    redraw();
  }

  function seek(seconds) {
    state.seconds = Math.min(Math.max(seconds, 0), state.duration);
    redraw();
  }

  function stepFrames(by) {
    play(false);
    const { fps } = state.clips[0];
    seek((Math.round(state.seconds * fps) + by) / fps);
  }

  function setSpeed(speed) {
    state.speed = speed;
    $("speed").value = String(speed);
  }

  function toggle(name, on = !state[name]) {
    state[name] = on;
    $(name).setAttribute("aria-pressed", String(on));
    if (name === "follow") state.pan = [0, 0];
    redraw();
  }

  function resetView() {
    Object.assign(state, START, { pan: [0, 0] });
    redraw();
  }

  function zoomBy(factor) {
    state.zoom = Math.min(Math.max(state.zoom * factor, 0.3), 5);
    redraw();
  }

  function help(open) {
    if (open) $("help-dialog").showModal();
    else $("help-dialog").close();
  }

  // ---- pictures

  function cameraFor(i, aspect) {
    const room = roomFor(state.framings, state.follow);
    const distance = distanceToFit(room.wide, room.high, aspect) * state.zoom;
    const target = targetOf(state.clips[i], state.framings[i], state.seconds, state.follow);
    const [sa, ca] = [Math.sin(state.azimuth), Math.cos(state.azimuth)];
    target[0] += state.pan[0] * ca;
    target[2] -= state.pan[0] * sa;
    target[1] += state.pan[1];
    return { target, distance, azimuth: state.azimuth, elevation: state.elevation };
  }

  function draw() {
    pictures.forEach(({ canvas }, i) => {
      const { context, width, height } = fitCanvas(canvas);
      if (!width || !height) return;
      const camera = cameraFor(i, width / height);
      const shown = { clip: state.clips[i], body, seconds: state.seconds, camera, trails: state.trails, palette };
      drawScene(context, width, height, shown);
    });
    const { context, width, height } = fitCanvas($("timeline"));
    drawTimeline(context, width, height, { ...state, body, palette });
    const shown = `${state.seconds.toFixed(2)} s`;
    $("time").textContent = `${shown} of ${state.duration.toFixed(2)} s`;
    $("timeline").setAttribute("aria-valuenow", state.seconds.toFixed(2));
    $("timeline").setAttribute("aria-valuemax", state.duration.toFixed(2));
    $("timeline").setAttribute("aria-valuetext", shown);
  }

  function redraw() {
    drawn = false;
  }

  let before = performance.now();
  function tick(now) {
    const passed = Math.min(0.1, (now - before) / 1000);
    before = now;
    if (state.playing && state.duration > 0) {
      // A short rest on the last frame shows where the motion ends.
      const rest = 0.35;
      state.seconds += passed * state.speed;
      if (state.seconds > state.duration + rest * state.speed) state.seconds = 0;
      drawn = false;
    }
    if (!drawn) {
      const held = state.seconds;
      state.seconds = Math.min(held, state.duration);
      draw();
      state.seconds = held;
      drawn = true;
    }
    requestAnimationFrame(tick);
  }

  // ---- pointer and keys

  function watchPointer(canvas) {
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId);
      event.preventDefault();
    });
    canvas.addEventListener("pointermove", (event) => {
      if (!canvas.hasPointerCapture(event.pointerId)) return;
      if (event.shiftKey || event.buttons & 6) {
        const metres = 2.5 / canvas.clientHeight;
        state.pan[0] -= event.movementX * metres * state.zoom;
        state.pan[1] += event.movementY * metres * state.zoom;
      } else {
        state.azimuth -= event.movementX * 0.008;
        state.elevation = Math.min(Math.max(state.elevation + event.movementY * 0.006, -0.1), 1.5);
      }
      redraw();
    });
    canvas.addEventListener("contextmenu", (event) => event.preventDefault());
    canvas.addEventListener("dblclick", resetView);
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault();
      const pixels = event.deltaY * (event.deltaMode === 1 ? 30 : 1);
      zoomBy(Math.exp(Math.max(-200, Math.min(200, pixels)) * 0.0015));
    }, { passive: false });
  }

  const timeline = $("timeline");
  let playedBefore = false;
  const scrub = (event) => seek(timeAt(event.offsetX, timeline.clientWidth, state.duration));
  timeline.addEventListener("pointerdown", (event) => {
    timeline.setPointerCapture(event.pointerId);
    event.preventDefault(); // no focus ring for the mouse
    playedBefore = state.playing;
    play(false);
    scrub(event);
  });
  timeline.addEventListener("pointermove", (event) => {
    if (timeline.hasPointerCapture(event.pointerId)) scrub(event);
  });
  timeline.addEventListener("lostpointercapture", () => play(playedBefore));

  const keys = {
    " ": () => play(!state.playing),
    ArrowLeft: () => stepFrames(-1),
    ArrowRight: () => stepFrames(1),
    Home: () => seek(0),
    End: () => { play(false); seek(state.duration); },
    ArrowUp: () => step(-1),
    ArrowDown: () => step(1),
    k: () => step(-1),
    j: () => step(1),
    n: () => step(1, (index) => verdicts.isOpen(index)),
    f: () => toggle("follow"),
    t: () => toggle("trails"),
    r: resetView,
    q: () => judge(0, "right"),
    w: () => judge(0, "wrong"),
    o: () => judge(1, "right"),
    p: () => judge(1, "wrong"),
    "[": () => setSpeed(SPEEDS[Math.max(0, SPEEDS.indexOf(state.speed) - 1)]),
    "]": () => setSpeed(SPEEDS[Math.min(SPEEDS.length - 1, SPEEDS.indexOf(state.speed) + 1)]),
    "+": () => zoomBy(0.9),
    "-": () => zoomBy(1.1),
    "/": () => { $("search").focus(); $("search").select(); },
    "?": () => help(true),
  };
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if ($("help-dialog").open || $("table-dialog").open) return; // Escape closes them by itself
    if (event.target === $("search")) {
      if (event.key === "Escape" || event.key === "Enter") $("search").blur();
      return;
    }
    if (event.target === $("speed") && event.key.startsWith("Arrow")) return;
    const digit = Number(event.key);
    const action = keys[event.key] || keys[event.key.toLowerCase()];
    if (digit >= 1 && digit <= seeds.length) chooseSeed(digit - 1);
    else if (action) action();
    else return;
    event.preventDefault();
  });

  // A click by mouse leaves the focus with the page: the next key is a shortcut, not that button.
  document.addEventListener("click", (event) => {
    if (event.detail > 0) event.target.closest("main button, aside button")?.blur();
  });
  $("search").addEventListener("input", filterList);
  document.querySelectorAll("[data-filter]").forEach((button) => {
    button.addEventListener("click", () => {
      state.filter = button.dataset.filter;
      document.querySelectorAll("[data-filter]").forEach((other) => {
        other.setAttribute("aria-pressed", String(other === button));
      });
      filterList();
    });
  });
  $("previous").addEventListener("click", () => step(-1));
  $("next").addEventListener("click", () => step(1));
  $("play").addEventListener("click", () => play(!state.playing));
  $("speed").addEventListener("change", () => setSpeed(Number($("speed").value)));
  $("follow").addEventListener("click", () => toggle("follow"));
  $("trails").addEventListener("click", () => toggle("trails"));
  $("reset").addEventListener("click", resetView);
  $("help").addEventListener("click", () => help(true));
  $("copy").addEventListener("click", async () => {
    const table = verdicts.table();
    if (await copyText(table)) {
      $("copy").textContent = "Copied";
      setTimeout(() => ($("copy").textContent = "Copy as table"), 1600);
    } else {
      $("table").value = table;
      $("table-dialog").showModal();
      $("table").select();
    }
    state.copied = true;
  });
  // Verdicts live in this page only: leaving it asks first.
  window.addEventListener("beforeunload", (event) => {
    if (!state.copied) event.preventDefault();
  });
  window.addEventListener("hashchange", chooseByAddress);
  new ResizeObserver(redraw).observe($("stage"));
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    palette = readPalette();
    redraw();
  });

  function chooseByAddress() {
    const named = decodeURIComponent(location.hash.slice(1));
    choose(Math.max(0, prompts.findIndex((prompt) => prompt.id === named)));
  }

  chooseByAddress();
  play(true);
  requestAnimationFrame(tick);
}

/** The colours of the pictures, from the style sheet: [red, green, blue] each. */
function readPalette() {
  const style = getComputedStyle(document.documentElement);
  const names = [
    "ink", "grid", "shadow", "path", "contact", "left", "right", "chest", "back", "skin", "hair", "eyes",
  ];
  const palette = {};
  for (const name of names) {
    palette[name] = style.getPropertyValue(`--figure-${name}`).trim().split(/\s+/).map(Number);
  }
  palette.shadowStrength = Number(style.getPropertyValue("--figure-shadow-strength"));
  return palette;
}

if (typeof document !== "undefined") start();
