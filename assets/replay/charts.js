// Vitals, return and belongings over time: a strip each, one cursor through all of them.

/** Build the charts of a player on the common time axis; returns {element, show(frame, step)}. */
function buildCharts(agent, art, length, seek) {
  const strips = series(agent, art).map((one) => buildStrip(agent, art, one));
  const cursor = make("i", { className: "cursor", aria: { hidden: "true" } });
  const sky = make("canvas", { className: "sky", height: 1, aria: { hidden: "true" } });
  const plots = make("div", { className: "plots", aria: { hidden: "true" } }, sky, ...strips.map((strip) => strip.canvas), cursor);
  const names = make("div", { className: "names" }, ...strips.map((strip) => strip.label));
  const values = make("div", { className: "values", aria: { hidden: "true" } }, ...strips.map((strip) => strip.value));
  const element = make("div", { className: "charts" }, names, plots, values);

  const redraw = () => {
    const width = Math.max(1, Math.round(plots.clientWidth * devicePixelRatio));
    drawSky(sky, agent, width, length);
    for (const strip of strips) drawStrip(strip, agent, width, length);
  };
  new ResizeObserver(redraw).observe(plots);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", redraw);

  const point = (event) => {
    const box = plots.getBoundingClientRect();
    seek(Math.round((Math.min(Math.max(event.clientX - box.left, 0), box.width) / box.width) * length));
  };
  plots.addEventListener("pointerdown", (event) => {
    plots.setPointerCapture(event.pointerId);
    point(event);
  });
  plots.addEventListener("pointermove", (event) => event.buttons & 1 && point(event));

  const show = (frame) => {
    cursor.style.left = `${(100 * frame) / Math.max(length, 1)}%`;
    for (const strip of strips) strip.value.textContent = strip.told(frame);
  };
  return { element, show };
}

/** What is charted: the return, what the player lives on, and what it ever carried. */
function series(agent, art) {
  const { game } = agent;
  const { icon, vital, item: items, tool } = art.numbers;
  const all = [
    { name: "return", sprite: icon.experience, colour: "return", read: (frame) => agent.returns[frame], told: (frame) => agent.returns[frame].toFixed(1) },
    { name: "health", sprite: icon.health, colour: "health", least: 9, read: (frame) => agent.value(frame, "health") },
  ];
  game.vitals.forEach((name, i) => {
    all.push({ name, sprite: vital[i], colour: COLOURS[name], least: 9, read: (frame) => agent.values(frame, "vitals")[i] });
  });
  if (agent.has("floor")) all.push({ name: "floor", sprite: icon.ladder, colour: "depth", read: (frame) => agent.depth(frame) });
  for (const [item, name] of Object.entries(game.items)) {
    const read = (frame) => agent.values(frame, "inventory")[item];
    const sprite = tool[item] ? tool[item][0] : items[item];
    all.push({ name, sprite, colour: "things", read, optional: true });
  }
  return all.filter((one) => !one.optional || largest(agent, one.read) > 0);
}

function largest(agent, read) {
  let most = 0;
  for (let frame = 0; frame < agent.frames; frame++) most = Math.max(most, read(frame));
  return most;
}

function buildStrip(agent, art, { name, sprite, colour, read, told, least = 1 }) {
  const most = Math.max(least, largest(agent, read));
  const label = make("span", { title: name }, art.icon(sprite), make("span", { textContent: name }));
  const value = make("b");
  const canvas = make("canvas", { className: "plot" });
  return { label, value, canvas, read, most, colour, told: told ?? ((frame) => thousands(read(frame))) };
}

/** Draw a strip: of each column of pixels the range of its frames, filled below. */
function drawStrip({ canvas, read, most, colour }, agent, width, length) {
  const height = Math.max(1, Math.round(canvas.clientHeight * devicePixelRatio));
  Object.assign(canvas, { width, height });
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement).getPropertyValue(`--${colour}`);
  const pad = Math.ceil(2 * devicePixelRatio);
  const level = (value) => height - pad - (Math.max(0, value) / most) * (height - 2 * pad);
  const thick = Math.max(1, Math.round(1.5 * devicePixelRatio));
  for (let x = 0; x < width; x++) {
    const first = Math.floor((x / width) * (length + 1));
    if (first > agent.steps) break;
    const stop = Math.min(Math.max(first + 1, Math.floor(((x + 1) / width) * (length + 1))), agent.frames);
    let low = read(Math.max(first - 1, 0));
    let high = low;
    for (let frame = first; frame < stop; frame++) {
      low = Math.min(low, read(frame));
      high = Math.max(high, read(frame));
    }
    context.fillStyle = style;
    context.globalAlpha = 0.28;
    context.fillRect(x, level(low), 1, height - level(low));
    context.globalAlpha = high > 0 ? 1 : 0.35;
    context.fillRect(x, level(high) - thick / 2, 1, level(low) - level(high) + thick);
  }
}

/** Shade the nights and the time below ground behind the strips, and what comes after the end. */
function drawSky(canvas, agent, width, length) {
  canvas.width = width;
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const [night, below] = ["--night", "--below"].map((name) => style.getPropertyValue(name));
  for (let x = 0; x < width; x++) {
    const frame = Math.floor((x / width) * (length + 1));
    if (frame > agent.steps) break;
    context.fillStyle = agent.outside(frame) ? night : below;
    context.globalAlpha = agent.outside(frame) ? 1 - agent.daylight(frame) : 1;
    context.fillRect(x, 0, 1, 1);
  }
}
