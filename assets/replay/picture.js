// Painting what a player sees, pixel by pixel, as openworld.render.picture does.

const TILE = 16;
const MARK = [255, 244, 200];
const NIGHT = [0.3, 0.36, 0.62];
const STEPS = [[0, -1], [0, 1], [-1, 0], [1, 0]]; // left, right, up, down

/** The sheet of sprites. */
class Art {
  constructor(image, columns, numbers) {
    this.columns = columns;
    this.numbers = numbers;
    this.canvas = make("canvas", { width: image.width, height: image.height });
    const context = this.canvas.getContext("2d", { willReadFrequently: true });
    context.drawImage(image, 0, 0);
    this.width = image.width;
    this.pixels = context.getImageData(0, 0, image.width, image.height).data;
  }

  /** Where a sprite lies on the sheet. */
  place(number) {
    return [(number % this.columns) * TILE, Math.floor(number / this.columns) * TILE];
  }

  /** A sprite as an element of 16 x 16 pixels; `draw(number)` on it shows another one. */
  icon(number) {
    const canvas = make("canvas", { width: TILE, height: TILE, className: "icon", aria: { hidden: "true" } });
    const context = canvas.getContext("2d");
    let shown = -1;
    canvas.draw = (next) => {
      if (next === shown) return;
      shown = next;
      context.clearRect(0, 0, TILE, TILE);
      context.drawImage(this.canvas, ...this.place(next), TILE, TILE, 0, 0, TILE, TILE);
    };
    canvas.draw(number);
    return canvas;
  }
}

/** Paints the views of one player. */
class Painter {
  constructor(agent, art) {
    this.agent = agent;
    this.art = art;
    [this.rows, this.cols] = agent.game.view;
    this.image = new ImageData(this.cols * TILE, this.rows * TILE);
  }

  /** Return the view at a frame as ImageData, which the next call paints over. */
  paint(frame) {
    const { agent, art, rows, cols } = this;
    const numbers = art.numbers;
    const looks = agent.looks(frame);
    const bodies = agent.values(frame, "creature");
    const missiles = agent.values(frame, "missile");
    const light = agent.values(frame, "light");
    for (let i = 0; i < looks.length; i++) this.lay(i, numbers.tile[looks[i]]);
    for (let i = 0; i < looks.length; i++) {
      if (bodies[i]) this.lay(i, numbers.creature[bodies[i]]);
      for (let k = 0; k < 8; k++) if ((missiles[i] >> k) & 1) this.lay(i, numbers.missile[k]);
      for (let k = 0; k < 3; k++) if ((light[i] >> (5 + k)) & 1) this.lay(i, numbers.missile[numbers.own[k]]);
    }
    const middle = (rows >> 1) * cols + (cols >> 1);
    const me = numbers.player["player" in agent.game.layout ? agent.value(frame, "player") : 0];
    const asleep = agent.value(frame, "asleep") > 0;
    if (asleep || agent.fallen(frame)) {
      this.lay(middle, me[asleep ? 4 : 5]);
      this.darken(frame, light, asleep);
      return this.image;
    }
    // The player and where it faces stay readable in the dark.
    this.darken(frame, light, false);
    const facing = agent.value(frame, "facing");
    this.lay(middle, me[facing]);
    this.corners((rows >> 1) + STEPS[facing][0], (cols >> 1) + STEPS[facing][1]);
    return this.image;
  }

  /** Lay a sprite on a tile of the view. */
  lay(tile, number) {
    const { art, image, cols } = this;
    const [left, top] = art.place(number);
    const row = Math.floor(tile / cols) * TILE;
    const col = (tile % cols) * TILE;
    for (let y = 0; y < TILE; y++) {
      let from = 4 * ((top + y) * art.width + left);
      let to = 4 * ((row + y) * image.width + col);
      for (let x = 0; x < TILE; x++, from += 4, to += 4) {
        if (art.pixels[from + 3] === 0) continue;
        image.data[to] = art.pixels[from];
        image.data[to + 1] = art.pixels[from + 1];
        image.data[to + 2] = art.pixels[from + 2];
        image.data[to + 3] = 255;
      }
    }
  }

  /** Dim tiles by their light, the overworld by night, and everything in sleep. */
  darken(frame, light, asleep) {
    const { agent, image, cols } = this;
    const day = agent.daylight(frame);
    const tint = NIGHT.map((part) => (agent.outside(frame) ? part + (1 - part) * day : 1) * (asleep ? 0.45 : 1));
    for (let tile = 0; tile < light.length; tile++) {
      const lit = 0.25 + (0.75 * (light[tile] & 31)) / agent.game.light;
      const row = Math.floor(tile / cols) * TILE;
      const col = (tile % cols) * TILE;
      for (let y = 0; y < TILE; y++) {
        let at = 4 * ((row + y) * image.width + col);
        for (let x = 0; x < TILE; x++, at += 4) {
          for (let c = 0; c < 3; c++) image.data[at + c] = Math.floor(image.data[at + c] * lit * tint[c]);
        }
      }
    }
  }

  /** Mark the faced tile with four corners. */
  corners(row, col) {
    const { image } = this;
    const ends = [0, 1, 2, TILE - 3, TILE - 2, TILE - 1];
    const set = (y, x) => image.data.set(MARK, 4 * ((row * TILE + y) * image.width + col * TILE + x));
    for (const end of ends) for (const edge of [0, TILE - 1]) (set(edge, end), set(end, edge));
  }
}
