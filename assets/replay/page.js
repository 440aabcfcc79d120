// The page: its time, its buttons and its keys.

const SPEEDS = [0.5, 1, 2, 4, 8, 16, 32];
const STEPS_PER_SECOND = 10;
const get = (id) => document.getElementById(id);

/** The time all players share: a step from 0 to `length`, standing or running. */
class Time {
  constructor(length, changed) {
    Object.assign(this, { length, changed, step: 0, speed: 1, running: false, begun: 0, from: 0 });
  }

  seek(step) {
    this.step = Math.min(Math.max(Math.round(step), 0), this.length);
    [this.from, this.begun] = [this.step, performance.now()];
    this.changed();
  }

  /** Stop, and go to a step. */
  stand(step) {
    this.running = false;
    this.seek(step);
  }

  toggle() {
    this.running = !this.running;
    if (this.running && this.step >= this.length) this.step = 0;
    this.seek(this.step);
    if (this.running) requestAnimationFrame(() => this.tick());
  }

  quicken(places) {
    const at = SPEEDS.indexOf(this.speed) + places;
    this.speed = SPEEDS[Math.min(Math.max(at, 0), SPEEDS.length - 1)];
    this.seek(this.step);
  }

  tick() {
    if (!this.running) return;
    const gone = ((performance.now() - this.begun) / 1000) * STEPS_PER_SECOND * this.speed;
    const step = Math.min(Math.floor(this.from + gone), this.length);
    if (step !== this.step) {
      this.step = step;
      this.running = step < this.length;
      this.changed();
    }
    if (this.running) requestAnimationFrame(() => this.tick());
  }
}

/** A line of marks above the time line for each player. */
function buildLane(agent, length, seek) {
  const lane = make("div", { className: "lane" });
  lane.style.setProperty("--accent", `var(--agent-${agent.index % 6})`);
  const span = make("i", { className: "span", aria: { hidden: "true" } });
  span.style.width = `${(100 * agent.steps) / Math.max(length, 1)}%`;
  lane.append(span);
  for (const [frame, which] of agent.achievements) {
    const name = `${agent.game.achievements[which]}, step ${frame}`;
    const mark = make("button", { type: "button", title: name, tabIndex: -1, className: `mark weight-${agent.game.weights[which]}`, aria: { label: name } });
    mark.style.left = `${(100 * frame) / Math.max(length, 1)}%`;
    mark.addEventListener("click", () => seek(frame));
    lane.append(mark);
  }
  return lane;
}

/** Wire the buttons, the time line, the speeds and the keys. */
function wire(time, agents) {
  const moments = [...new Set(agents.flatMap((agent) => agent.achievements.map(([frame]) => frame)))].sort((a, b) => a - b);
  const next = () => time.stand(moments.find((frame) => frame > time.step) ?? time.length);
  const previous = () => time.stand(moments.findLast((frame) => frame < time.step) ?? 0);
  const help = () => (get("help").open ? get("help").close() : get("help").showModal());
  const keys = {
    " ": () => time.toggle(),
    ArrowLeft: (event) => time.stand(time.step - (event.shiftKey ? 10 : 1)),
    ArrowRight: (event) => time.stand(time.step + (event.shiftKey ? 10 : 1)),
    Home: () => time.stand(0),
    End: () => time.stand(time.length),
    "+": () => time.quicken(1),
    "=": () => time.quicken(1),
    "-": () => time.quicken(-1),
    n: next,
    p: previous,
    "?": help,
  };
  get("first").addEventListener("click", keys.Home);
  get("last").addEventListener("click", keys.End);
  get("back").addEventListener("click", () => time.stand(time.step - 1));
  get("forth").addEventListener("click", () => time.stand(time.step + 1));
  get("play").addEventListener("click", () => time.toggle());
  get("help-button").addEventListener("click", help);
  get("scrub").addEventListener("input", (event) => time.seek(Number(event.target.value)));
  get("speed").append(...SPEEDS.map((speed) => make("option", { value: speed, textContent: `${speed}×` })));
  get("speed").addEventListener("change", (event) => time.quicken(SPEEDS.indexOf(Number(event.target.value)) - SPEEDS.indexOf(time.speed)));
  addEventListener("keydown", (event) => {
    const { target } = event;
    const busy = event.ctrlKey || event.altKey || event.metaKey || target.matches("select") || (get("help").open && event.key !== "?");
    const presses = event.key === " " && target.matches("button, summary");
    if (busy || presses || !(event.key in keys)) return;
    event.preventDefault();
    keys[event.key](event);
  });
  addEventListener("hashchange", () => fromAddress(time));
}

/** The address may name a step: page.html#120. */
function fromAddress(time) {
  const step = Number.parseInt(location.hash.slice(1), 10);
  if (Number.isFinite(step)) time.stand(step);
}

async function main() {
  const { agents, art } = await load();
  const length = Math.max(...agents.map((agent) => agent.steps));
  let panels = [];
  const time = new Time(length, () => {
    for (const panel of panels) panel.show(time.step, !time.running);
    const told = `${thousands(time.step)} / ${thousands(length)}`;
    get("clock").textContent = told;
    get("scrub").value = time.step;
    get("scrub").setAttribute("aria-valuetext", `step ${told}`);
    get("speed").value = time.speed;
    get("play").classList.toggle("running", time.running);
    get("play").setAttribute("aria-label", time.running ? "Pause" : "Play");
  });
  const seek = (step) => time.seek(step);
  get("scrub").max = length;
  panels = agents.map((agent) => buildPanel(agent, art, length, seek));
  get("lanes").append(...agents.map((agent) => buildLane(agent, length, seek)));
  get("panels").replaceChildren(...panels.map((panel) => panel.element));
  get("panels").dataset.agents = agents.length;
  get("about").textContent = agents.length === 1 ? "" : `${agents.length} players side by side, one time`;
  wire(time, agents);
  get("transport").hidden = false;
  time.seek(0);
  fromAddress(time);
  document.body.dataset.ready = "true";
}

main().catch((error) => {
  get("panels").replaceChildren(make("p", { className: "sorry", textContent: `This page cannot be shown: ${error.message}. It needs a browser of 2023 or newer.` }));
  throw error;
});
