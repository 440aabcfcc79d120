// What happened, in words: read from what changed between two frames.

const ARMOUR = ["helmet", "breastplate", "leggings", "boots"];
const BOUND = ["", " of fire", " of ice"];

/** Say what a step changed, the most telling first. */
function changes(agent, frame) {
  if (frame === 0) return [];
  const { game } = agent;
  const told = [];
  const both = (name) => [agent.values(frame - 1, name), agent.values(frame, name)];
  for (const [when, which] of agent.achievements) {
    if (when === frame) told.push({ text: `★ ${game.achievements[which]}`, kind: "achieved" });
  }
  if (agent.depth(frame) !== agent.depth(frame - 1)) {
    const way = agent.depth(frame) > agent.depth(frame - 1) ? "down" : "up";
    told.push({ text: `${way} to the ${agent.floorName(agent.depth(frame))}`, kind: "place" });
  }
  const [had, has] = both("inventory");
  for (const [item, name] of Object.entries(game.items)) {
    const more = has[item] - had[item];
    if (!more) continue;
    if (name === "pickaxe" || name === "sword") told.push({ text: `${game.levels[has[item]]} ${name}`, kind: "gain" });
    else told.push({ text: `${more > 0 ? "+" : "−"}${Math.abs(more)} ${name}`, kind: more > 0 ? "gain" : "loss" });
  }
  const [wore, wears] = both("armour");
  ARMOUR.forEach((piece, i) => {
    if (wears[i] > wore[i]) told.push({ text: `${game.levels[wears[i] + 2]} ${piece}`, kind: "gain" });
  });
  const whole = (at) => agent.value(at, "health") + agent.value(at, "health_fraction") / 40;
  const healed = whole(frame) - whole(frame - 1);
  if (healed) told.push(amount("health", healed));
  const [ate, eats] = both("vitals");
  game.vitals.forEach((name, i) => {
    if (eats[i] !== ate[i]) told.push(amount(name, eats[i] - ate[i]));
  });
  const turned = (name) => agent.value(frame, name) - agent.value(frame - 1, name);
  if (turned("asleep")) told.push({ text: turned("asleep") > 0 ? "fell asleep" : "woke up", kind: "state" });
  if (turned("resting")) told.push({ text: turned("resting") > 0 ? "rests" : "is up again", kind: "state" });
  if (turned("experience") > 0) told.push({ text: `+${turned("experience")} experience`, kind: "gain" });
  const [was, is] = both("attributes");
  game.attributes.forEach((name, i) => {
    if (is[i] > was[i]) told.push({ text: `${name} ${is[i]}`, kind: "gain" });
  });
  return told;
}

function amount(name, more) {
  const size = Math.abs(more).toFixed(2).replace(/\.?0+$/, "");
  return { text: `${name} ${more > 0 ? "+" : "−"}${size}`, kind: more > 0 ? "gain" : "loss" };
}

/** Say how a player is. */
function state(agent, frame) {
  if (agent.fallen(frame)) return "fallen";
  if (agent.value(frame, "asleep")) return "asleep";
  if (agent.value(frame, "resting")) return "resting";
  return "awake";
}

/** Say what time of day it is, where there is a sky. */
function hour(agent, frame) {
  if (!agent.outside(frame)) return "";
  const day = agent.daylight(frame);
  return day < 0.3 ? "night" : day < 0.7 ? "dusk" : "day";
}

/** Say how an episode ended. */
function ending(agent) {
  if (agent.ended === "terminated") {
    return agent.value(agent.steps, "health") > 0 ? "won" : "died";
  }
  return agent.ended === "truncated" ? "out of time" : "recording stopped";
}

/** Describe a view for those who cannot see it: where the player is, how it is, and who is near. */
function scene(agent, frame) {
  const [rows, cols] = agent.game.view;
  const bodies = agent.values(frame, "creature");
  const near = [];
  for (let i = 0; i < bodies.length; i++) {
    if (!bodies[i]) continue;
    const down = Math.floor(i / cols) - (rows >> 1);
    const right = (i % cols) - (cols >> 1);
    const way = [down && `${Math.abs(down)} ${down > 0 ? "down" : "up"}`, right && `${Math.abs(right)} ${right > 0 ? "right" : "left"}`];
    near.push(`${agent.game.creatures[bodies[i]] ?? "player"} ${way.filter(Boolean).join(" ")}`);
  }
  const where = [agent.floorName(agent.depth(frame)), hour(agent, frame), state(agent, frame)].filter(Boolean);
  return `View of ${agent.title}: ${where.join(", ")}; health ${agent.value(frame, "health")}; in view ${near.join(", ") || "no creatures"}.`;
}
