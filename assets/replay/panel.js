// One player: its view, status, map, charts, achievements, and what happened last.

/** Build the panel of a player; returns {element, show(step, still)}. */
function buildPanel(agent, art, length, seek) {
  const view = buildView(agent, art);
  const status = buildStatus(agent, art);
  const map = buildMap(agent, art);
  const charts = buildCharts(agent, art, length, seek);
  const events = buildEvents(agent);
  const achievements = buildAchievements(agent, seek);
  const parts = [view, status, map, charts, events, achievements];

  const badge = make("span", { className: "badge" });
  const swatch = make("i", { className: "swatch", aria: { hidden: "true" } });
  const details = `${agent.world} · rules ${agent.rules} · seed ${agent.seed.join(", ")} · ${thousands(agent.steps)} steps`;
  const head = make("header", {}, make("h2", {}, swatch, agent.title), badge, make("p", { textContent: details }));
  const element = make("article", { className: "panel", aria: { label: agent.title } }, head,
    make("div", { className: "parts" },
      make("div", { className: "stage" }, view.element, events.element),
      status.element,
      map.element,
      section("Over time", charts.element),
      section("Achievements", achievements.element)));
  element.style.setProperty("--accent", `var(--agent-${agent.index % 6})`);

  const show = (step, still) => {
    const frame = agent.frame(step);
    for (const part of parts) part.show(frame, still);
    const over = frame === agent.steps;
    const total = `return ${agent.returns[frame].toFixed(1)}`;
    badge.textContent = over
      ? `${total} · ${ending(agent)} at step ${thousands(agent.steps)}`
      : `${total} up to step ${thousands(frame)}`;
    badge.classList.toggle("over", over);
  };
  return { element, show };
}

function section(title, body) {
  const name = title.toLowerCase().replace(" ", "-");
  return make("section", { className: name, aria: { label: title } }, make("h3", { textContent: title }), body);
}

/** The view, at a whole number of screen pixels for each of its own. */
function buildView(agent, art) {
  const painter = new Painter(agent, art);
  const { width, height } = painter.image;
  const canvas = make("canvas", { width, height });
  canvas.setAttribute("role", "img");
  const context = canvas.getContext("2d");
  const element = make("div", { className: "view" }, canvas);
  new ResizeObserver(() => {
    const scale = Math.max(1, Math.min(6, Math.floor((element.clientWidth * devicePixelRatio) / width)));
    canvas.style.width = `${(width * scale) / devicePixelRatio}px`;
    canvas.style.height = `${(height * scale) / devicePixelRatio}px`;
  }).observe(element);
  const show = (frame, still) => {
    context.putImageData(painter.paint(frame), 0, 0);
    if (still) canvas.setAttribute("aria-label", scene(agent, frame));
  };
  return { element, show };
}

/** The step's action, reward and changes, and the steps before it that changed something. */
function buildEvents(agent) {
  const SHOWN = 5;
  const now = make("p", { className: "now" });
  const before = make("ol", { className: "before" });
  const element = make("div", { className: "events", aria: { label: "What happened" } }, now, before);
  const tell = (frame) => changes(agent, frame).map(({ text, kind }) => make("span", { className: kind, textContent: text }));
  const reward = (frame) => {
    const value = Math.round(agent.rewards[frame] * 1000) / 1000;
    return value ? [make("em", { className: value > 0 ? "gain" : "loss", textContent: `reward ${value > 0 ? "+" : "−"}${Math.abs(value)}` })] : [];
  };
  const show = (frame, still) => {
    now.setAttribute("aria-live", still ? "polite" : "off");
    const action = frame ? agent.game.actions[agent.actions[frame]] : "the episode begins";
    now.replaceChildren(make("b", { textContent: action }), ...tell(frame), ...reward(frame));
    const lines = [];
    for (let at = frame - 1; at > Math.max(0, frame - 400) && lines.length < SHOWN; at--) {
      const told = tell(at);
      if (told.length) lines.push(make("li", {}, make("i", { textContent: thousands(at) }), make("b", { textContent: agent.game.actions[agent.actions[at]] }), ...told));
    }
    before.replaceChildren(...lines);
  };
  return { element, show };
}

/** Every achievement in the order it came, to be clicked; then those that never came. */
function buildAchievements(agent, seek) {
  const { game } = agent;
  const reached = new Set(agent.achievements.map(([, which]) => which));
  const buttons = agent.achievements.map(([frame, which]) => {
    const name = game.achievements[which];
    const button = make("button", { type: "button", className: `weight-${game.weights[which]}`, aria: { label: `${name}, step ${frame}` } },
      make("i", { textContent: thousands(frame) }), name);
    button.addEventListener("click", () => seek(frame));
    return [frame, button];
  });
  const list = make("ol", {}, ...buttons.map(([, button]) => make("li", {}, button)));
  const count = make("p", { className: "count" });
  const missed = game.achievements.filter((_, which) => !reached.has(which));
  const rest = make("details", {}, make("summary", { textContent: `${missed.length} not unlocked` }), make("p", { textContent: missed.join(", ") }));
  const show = (frame) => {
    let unlocked = 0;
    for (const [when, button] of buttons) {
      unlocked += when <= frame;
      button.classList.toggle("ahead", when > frame);
      button.classList.toggle("new", when === frame);
    }
    count.textContent = `${unlocked} of ${game.achievements.length}`;
  };
  return { element: make("div", { className: "unlocked" }, count, list, ...(missed.length ? [rest] : [])), show };
}
