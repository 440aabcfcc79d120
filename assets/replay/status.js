// Vitals, belongings and abilities beside the view.

const COLOURS = { health: "health", food: "food", drink: "drink", energy: "energy", mana: "mana" };

/** Build the status of a player; returns {element, show(frame)}. */
function buildStatus(agent, art) {
  const shows = [];
  const element = make("div", { className: "status" });
  element.append(place(agent, art, shows), vitals(agent, art, shows), belongings(agent, art, shows));
  if (agent.has("armour") || agent.has("experience")) element.append(person(agent, art, shows));
  return { element, show: (frame) => shows.forEach((show) => show(frame)) };
}

/** Where the player is, what time it is, how it is. */
function place(agent, art, shows) {
  const { icon } = art.numbers;
  const sign = art.icon(icon.day);
  const name = make("span");
  shows.push((frame) => {
    const how = state(agent, frame);
    sign.draw(how === "asleep" ? icon.asleep : how === "resting" ? icon.resting : agent.outside(frame) ? icon.day : icon.ladder);
    sign.style.opacity = how === "awake" && agent.outside(frame) ? 0.35 + 0.65 * agent.daylight(frame) : 1;
    name.textContent = [agent.floorName(agent.depth(frame)), hour(agent, frame), how].filter(Boolean).join(" · ");
  });
  return make("p", { className: "place" }, sign, name);
}

function vitals(agent, art, shows) {
  const list = make("dl", { className: "vitals" });
  const rows = [["health", art.numbers.icon.health, (frame) => agent.value(frame, "health")]];
  agent.game.vitals.forEach((name, i) => {
    rows.push([name, art.numbers.vital[i], (frame) => agent.values(frame, "vitals")[i]]);
  });
  for (const [name, sprite, read] of rows) {
    let most = 9;
    for (let frame = 0; frame < agent.frames; frame++) most = Math.max(most, read(frame));
    const fill = make("i", { className: `fill ${COLOURS[name]}` });
    const number = make("b");
    const row = make("div", {}, make("dt", {}, art.icon(sprite), name), make("dd", {}, make("span", { className: "bar", aria: { hidden: "true" } }, fill), number));
    list.append(row);
    let shown = -1;
    shows.push((frame) => {
      const value = read(frame);
      if (value === shown) return;
      shown = value;
      fill.style.width = `${(100 * value) / most}%`;
      number.textContent = value;
      row.classList.toggle("low", value <= 2);
    });
  }
  return list;
}

/** A place for a thing: its picture, its number, dim where there is none. */
function slot(art, name, sprite) {
  const icon = art.icon(sprite);
  const number = make("b");
  const element = make("li", { className: "slot none", title: name }, icon, number);
  let shown = null;
  const show = (count, { text = count, sprite: other = sprite, bound = 0 } = {}) => {
    const key = `${count} ${text} ${other} ${bound}`;
    if (key === shown) return;
    shown = key;
    icon.draw(other);
    number.textContent = count ? text : "";
    element.className = `slot ${count ? "" : "none"} ${["", "fire", "ice"][bound]}`;
    element.setAttribute("aria-label", count ? `${text} ${name}${BOUND[bound]}` : `no ${name}`);
  };
  return { element, show };
}

function belongings(agent, art, shows) {
  const list = make("ul", { className: "slots", aria: { label: "Inventory" } });
  const { item: icons, tool } = art.numbers;
  for (const [item, name] of Object.entries(agent.game.items)) {
    const levels = tool[item];
    const one = slot(art, name, levels ? levels[0] : icons[item]);
    list.append(one.element);
    const enchanted = name === "sword" || name === "bow" ? `${name}_enchantment` : null;
    shows.push((frame) => {
      const count = agent.values(frame, "inventory")[item];
      const bound = enchanted ? agent.value(frame, enchanted) : 0;
      if (levels) one.show(count, { text: count ? agent.game.levels[count] : "", sprite: levels[Math.max(count, 1) - 1], bound });
      else one.show(count, { bound });
    });
  }
  return list;
}

/** Armour, spells, experience and attributes. */
function person(agent, art, shows) {
  const list = make("ul", { className: "slots", aria: { label: "Armour, spells, experience and attributes" } });
  const { armour, icon, attribute } = art.numbers;
  ARMOUR.forEach((piece, i) => {
    const one = slot(art, piece, armour[i][0]);
    list.append(one.element);
    shows.push((frame) => {
      const level = agent.values(frame, "armour")[i];
      const bound = agent.values(frame, "armour_enchantment")[i];
      one.show(level, { text: level ? agent.game.levels[level + 2] : "", sprite: armour[i][Math.max(level, 1) - 1], bound });
    });
  });
  ["fire", "ice"].forEach((sign, i) => {
    const one = slot(art, `${sign}ball spell`, icon[sign]);
    list.append(one.element);
    shows.push((frame) => one.show(agent.values(frame, "spells")[i], { text: "" }));
  });
  const experience = slot(art, "experience to spend", icon.experience);
  list.append(experience.element);
  shows.push((frame) => experience.show(agent.value(frame, "experience")));
  agent.game.attributes.forEach((name, i) => {
    const one = slot(art, name, attribute[i]);
    list.append(one.element);
    shows.push((frame) => one.show(agent.values(frame, "attributes")[i]));
  });
  return list;
}
