// The map: what a player has seen so far of each floor, and the way it has walked.

const RECENT = 100;

/** What a player remembers at a frame: floor by floor a picture of the tiles seen, and of the path. */
class Memory {
  constructor(agent, art) {
    this.agent = agent;
    this.art = art;
    this.floors = new Map();
    this.until = -1;
    this.colour = getComputedStyle(document.documentElement).getPropertyValue(`--agent-${agent.index % 6}`);
  }

  /** Go to a frame; backwards means from the beginning. */
  go(frame) {
    if (frame < this.until) {
      this.until = -1;
      for (const floor of this.floors.values()) {
        floor.looks.fill(0);
        for (const layer of [floor.ground, floor.path]) layer.clearRect(0, 0, layer.canvas.width, layer.canvas.height);
      }
    }
    while (this.until < frame) this.see(++this.until);
  }

  floor(depth) {
    if (!this.floors.has(depth)) {
      const [rows, cols] = this.agent.game.ground;
      const layer = () => make("canvas", { width: cols * TILE, height: rows * TILE }).getContext("2d");
      const floor = { looks: new Uint16Array(rows * cols), ground: layer(), path: layer() };
      Object.assign(floor.path, { lineWidth: 4, lineCap: "round", strokeStyle: this.colour, globalAlpha: 0.8 });
      this.floors.set(depth, floor);
    }
    return this.floors.get(depth);
  }

  /** Take in what one frame shows. */
  see(frame) {
    const { agent, art } = this;
    const depth = agent.depth(frame);
    const floor = this.floor(depth);
    const [viewRows, viewCols] = agent.game.view;
    const [rows, cols] = agent.game.ground;
    const top = agent.row(frame) - (viewRows >> 1);
    const left = agent.col(frame) - (viewCols >> 1);
    const looks = agent.looks(frame);
    for (let i = 0; i < looks.length; i++) {
      const row = top + Math.floor(i / viewCols);
      const col = left + (i % viewCols);
      const at = row * cols + col;
      if (!looks[i] || row < 0 || col < 0 || row >= rows || col >= cols || floor.looks[at] === looks[i]) continue;
      floor.looks[at] = looks[i];
      const [x, y] = art.place(art.numbers.tile[looks[i]]);
      floor.ground.drawImage(art.canvas, x, y, TILE, TILE, col * TILE, row * TILE, TILE, TILE);
    }
    if (frame > 0 && agent.depth(frame - 1) === depth) {
      floor.path.beginPath();
      floor.path.moveTo(...this.point(frame - 1));
      floor.path.lineTo(...this.point(frame));
      if (this.moved(frame)) floor.path.stroke();
    }
  }

  moved(frame) {
    const { agent } = this;
    return agent.row(frame) !== agent.row(frame - 1) || agent.col(frame) !== agent.col(frame - 1);
  }

  /** The middle of the tile on which the player stands. */
  point(frame) {
    return [(this.agent.col(frame) + 0.5) * TILE, (this.agent.row(frame) + 0.5) * TILE];
  }
}

/** Build the map of a player; returns {element, show(frame)}. */
function buildMap(agent, art) {
  const memory = new Memory(agent, art);
  const [rows, cols] = agent.game.ground;
  const canvas = make("canvas", { width: cols * TILE, height: rows * TILE });
  canvas.setAttribute("role", "img");
  const context = canvas.getContext("2d");
  const entered = new Map();
  for (let frame = 0; frame < agent.frames; frame++) {
    if (!entered.has(agent.depth(frame))) entered.set(agent.depth(frame), frame);
  }
  let pinned = null;
  let now = 0;
  const tabs = [...entered.keys()].map((depth) => {
    const button = make("button", { type: "button", textContent: agent.floorName(depth) });
    button.addEventListener("click", () => {
      pinned = depth === agent.depth(now) ? null : depth;
      show(now);
    });
    return [depth, button];
  });

  const show = (frame) => {
    now = frame;
    memory.go(frame);
    const here = agent.depth(frame);
    if (pinned !== null && (pinned === here || entered.get(pinned) > frame)) pinned = null;
    const depth = pinned ?? here;
    for (const [other, button] of tabs) {
      button.disabled = entered.get(other) > frame;
      button.setAttribute("aria-pressed", String(other === depth));
      button.classList.toggle("here", other === here);
    }
    context.clearRect(0, 0, canvas.width, canvas.height);
    context.drawImage(memory.floor(depth).ground.canvas, 0, 0);
    context.fillStyle = "rgba(10, 8, 20, 0.25)";
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(memory.floor(depth).path.canvas, 0, 0);
    drawRecent(context, memory, frame, depth);
    drawMarks(context, memory, frame, depth);
    canvas.setAttribute("aria-label", `Map of the ${agent.floorName(depth)} as far as ${agent.title} has seen it; it is at row ${agent.row(frame)}, column ${agent.col(frame)} of the ${agent.floorName(here)}.`);
  };
  const floors = make("div", { className: "floors", aria: { label: "Floors" } }, ...tabs.map(([, button]) => button));
  floors.setAttribute("role", "group");
  return { element: make("figure", { className: "map" }, canvas, floors), show };
}

/** The last steps, brighter the newer they are. */
function drawRecent(context, memory, frame, depth) {
  const { agent } = memory;
  context.save();
  Object.assign(context, { lineWidth: 5, lineCap: "round", strokeStyle: "#fff" });
  for (let at = Math.max(1, frame - RECENT); at <= frame; at++) {
    if (agent.depth(at) !== depth || agent.depth(at - 1) !== depth || !memory.moved(at)) continue;
    context.globalAlpha = 1 - (frame - at) / (RECENT + 1);
    context.beginPath();
    context.moveTo(...memory.point(at - 1));
    context.lineTo(...memory.point(at));
    context.stroke();
  }
  context.restore();
}

/** Where achievements were unlocked, what is in view, and the player. */
function drawMarks(context, memory, frame, depth) {
  const { agent } = memory;
  context.save();
  for (const [when] of agent.achievements) {
    if (when <= frame && agent.depth(when) === depth) disc(context, memory.point(when), 8, "#ffd24a");
  }
  if (agent.depth(frame) === depth) {
    const [rows, cols] = agent.game.view;
    const [x, y] = memory.point(frame);
    Object.assign(context, { lineWidth: 4, strokeStyle: "rgba(255, 255, 255, 0.9)" });
    context.strokeRect(x - (cols * TILE) / 2, y - (rows * TILE) / 2, cols * TILE, rows * TILE);
    disc(context, [x, y], 14, memory.colour);
  }
  context.restore();
}

function disc(context, [x, y], radius, colour) {
  context.beginPath();
  context.arc(x, y, radius, 0, 2 * Math.PI);
  Object.assign(context, { fillStyle: colour, strokeStyle: "rgba(0, 0, 0, 0.75)", lineWidth: 4 });
  context.stroke();
  context.fill();
}
