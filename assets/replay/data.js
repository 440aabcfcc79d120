"use strict";
// Reading what the page holds: the bytes of each player's episode, and its tokens by name.

/** Unpack zlib-compressed bytes that are written in base64. */
async function inflate(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

/** One player of one episode: what it saw, where it was, what it did and was given, frame by frame. */
class Agent {
  constructor(record, game, bytes, index) {
    Object.assign(this, record);
    this.index = index;
    this.game = game;
    this.frames = record.steps + 1;
    let at = 0;
    const take = (size) => bytes.subarray(at, (at += size));
    this.tokens = take(this.frames * game.tokens);
    this.places = take(this.frames * 2);
    this.actions = take(this.frames);
    const view = new DataView(bytes.buffer, bytes.byteOffset + at, this.frames * 4);
    this.rewards = Float32Array.from({ length: this.frames }, (_, i) => view.getFloat32(4 * i, true));
    this.returns = new Float32Array(this.frames);
    for (let i = 1; i < this.frames; i++) this.returns[i] = this.returns[i - 1] + this.rewards[i];
  }

  /** The frame that shows a step of the common time: the last one, once the episode is over. */
  frame(step) {
    return Math.min(step, this.steps);
  }

  values(frame, name) {
    const [offset, size] = this.game.layout[name];
    const start = frame * this.game.tokens + offset;
    return this.tokens.subarray(start, start + size);
  }

  value(frame, name) {
    return this.tokens[frame * this.game.tokens + this.game.layout[name][0]];
  }

  has(name) {
    return Boolean(this.game.has[name]);
  }

  row(frame) {
    return this.places[2 * frame];
  }

  col(frame) {
    return this.places[2 * frame + 1];
  }

  depth(frame) {
    return this.value(frame, "floor");
  }

  floorName(depth) {
    return this.game.floors[depth] ?? `floor ${depth}`;
  }

  fallen(frame) {
    return "fallen" in this.game.layout && this.value(frame, "fallen") > 0;
  }

  /** Whether it sees by the sun. */
  outside(frame) {
    return this.depth(frame) === 0;
  }

  /** Daylight from 0 to 1. */
  daylight(frame) {
    return this.value(frame, "daylight") / this.game.daylight;
  }

  /** How each tile in view looks: a closed ladder and a bared necromancer are told from other tokens. */
  looks(frame) {
    const looks = Uint16Array.from(this.values(frame, "tile"));
    const { ladder, necromancer, bosses } = this.game;
    const open = bosses[this.depth(frame)] || this.value(frame, "ladder_open") > 0;
    const bared = this.value(frame, "boss_vulnerable") > 0;
    for (let i = 0; i < looks.length; i++) {
      if (!open && looks[i] >> 6 === ladder[0]) looks[i] = (looks[i] & 63) | (ladder[1] << 6);
      if (bared && (looks[i] & 63) === necromancer[0]) looks[i] += necromancer[1] - necromancer[0];
    }
    return looks;
  }

  get title() {
    const name = this.name || this.world;
    return this.players > 1 ? `${name}, player ${this.player}` : name;
  }
}

/** Read everything the page holds. */
async function load() {
  const data = JSON.parse(document.getElementById("data").textContent);
  const agents = await Promise.all(
    data.agents.map(async (record, i) => new Agent(record, data.games[record.game], await inflate(record.data), i)),
  );
  const image = new Image();
  image.src = data.sheet;
  await image.decode();
  return { agents, art: new Art(image, data.columns, data.sprites) };
}

/** Make an element: `make("p", {className: "x", textContent: "y"}, child, ...)`. */
function make(name, settings = {}, ...children) {
  const element = document.createElement(name);
  const { aria = {}, ...properties } = settings;
  Object.assign(element, properties);
  for (const [key, value] of Object.entries(aria)) element.setAttribute(`aria-${key}`, value);
  element.append(...children);
  return element;
}

/** A number with its thousands apart. */
function thousands(number) {
  return number.toLocaleString("en");
}
