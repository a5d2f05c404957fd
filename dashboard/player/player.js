// Draws frames that Python worked out; between two of them positions and messages move in straight lines.
const SVG = "http://www.w3.org/2000/svg";
const NARROW = 620, HEIGHT = 110, SECONDS_TO_PLAY = 20, TRACE_FRAMES = 10;

function element(name, attributes, parent, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  parent.appendChild(made);
  return made;
}

function time(seconds) {
  if (seconds < 1e-3) return `${(seconds * 1e6).toFixed(0)} µs`;
  if (seconds < 1) return `${(seconds * 1e3).toPrecision(3)} ms`;
  return `${seconds.toPrecision(3)} s`;
}

class Film {
  constructor(data) {
    this.data = data;
    this.times = data.frames.map((frame) => frame.time);
    this.start = this.times[0];
    this.length = (this.times.at(-1) - this.start) || 1;
    this.places = {};
  }

  // Upstreams stand left of their standbys; where the page is narrow, above them.
  build(root, width) {
    const nodes = this.data.nodes, count = (axis) => new Set(nodes.map((node) => node[axis].toFixed(3))).size;
    const turned = width < NARROW && count("y") <= count("x");
    const across = (node) => (turned ? node.y : node.x), down = (node) => (turned ? node.x : node.y);
    const [rows, columns] = turned ? [count("x"), count("y")] : [count("y"), count("x")];
    // Where links go downwards, their words need room between the cards.
    const height = Math.max(190, rows * (width < NARROW ? 200 : 150) + 10);
    this.card_width = Math.min(190, width / columns - 10);
    root.querySelector("svg")?.remove();
    const svg = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img" }, root);
    root.prepend(svg);
    svg.setAttribute("aria-label", "The cluster, with WAL on its way to each standby");
    for (const node of this.data.nodes)
      this.places[node.name] = {
        x: this.card_width / 2 + 4 + (columns === 1 ? 0.5 : across(node)) * (width - this.card_width - 8),
        y: 90 + (rows === 1 ? 0.5 : down(node)) * (height - 155),
      };
    Object.assign(this, { turned, width });
    this.wires = element("g", {}, svg);
    for (const link of this.data.links) this.wire(link);
    this.moving = element("g", {}, svg);
    this.cards = {};
    for (const node of this.data.nodes) this.card(node, svg);
    this.reads = element("g", {}, svg);
  }

  wire(link) {
    const from = this.places[link.from], to = this.places[link.to];
    link.group = element("g", {}, this.wires);
    const stroke = { stroke: this.data.colors.soft, "stroke-width": 2, opacity: 0.6 };
    element("line", { x1: from.x, y1: from.y, x2: to.x, y2: to.y, ...stroke }, link.group);
    const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
    // Beside a steep link, above and below a flat one.
    const upright = Math.abs(to.x - from.x) < 20, steep = upright || this.width < NARROW;
    const left = upright ? middle.x > this.width / 2 + 20 : !this.turned || to.x < from.x;
    const beside = steep ? { x: middle.x + (left ? -20 : 20), "text-anchor": left ? "end" : "start" } : { x: middle.x, "text-anchor": "middle" };
    link.label && element("text", { ...beside, y: middle.y - 12, "font-size": 14 }, link.group, link.label);
    link.words = element("text", { ...beside, y: middle.y + 24, opacity: 0.8, "font-size": 12.5 }, link.group, "");
  }

  // A card has the bars of each role that its node may play; `show` chooses.
  card(node, svg) {
    const { x, y } = this.places[node.name], width = this.card_width;
    this.bar = width - 76;
    const group = element("g", { transform: `translate(${x - width / 2},${y - HEIGHT / 2})` }, svg);
    const edge = element("rect", { width, height: HEIGHT, rx: 10, fill: this.data.colors.background, stroke: node.color }, group);
    const inside = element("g", {}, group);
    const title = node.zone && width > 150 ? `${node.name} · ${node.zone}` : node.name;
    element("text", { x: 10, y: 20, "font-weight": 700, "font-size": 15 }, inside, title);
    const behind = element("text", { x: width - 10, y: 20, "text-anchor": "end", "font-size": 12.5 }, inside, "");
    const roles = {};
    for (const [role, stages] of Object.entries(this.data.stages)) {
      const own = element("g", {}, inside), bars = {}, gap = stages.length > 2 ? 19 : 30;
      stages.forEach((stage, place) => {
        const top = 32 + place * gap;
        element("text", { x: 10, y: top + 11, "font-size": 12.5 }, own, stage);
        element("rect", { x: 66, y: top + 2, width: this.bar, height: 10, rx: 3, fill: this.data.colors.grid }, own);
        bars[stage] = element("rect", { x: 66, y: top + 2, width: 0, height: 10, rx: 3, fill: node.color }, own);
      });
      roles[role] = { own, bars };
    }
    this.cards[node.name] = { edge, inside, behind, roles };
  }

  show(place) {
    const frames = this.data.frames, at = Math.min(Math.floor(place), frames.length - 1);
    const here = frames[at], next = frames[Math.min(at + 1, frames.length - 1)], share = place - at;
    const between = (a, b) => a + (b - a) * share;
    const inserted = (frame) => {
      const all = Object.values(frame.nodes), ruling = all.filter((node) => node.role === "primary");
      return Math.max(...(ruling.length ? ruling : all).map((node) => node.positions.insert || 0));
    };
    const head = between(inserted(here), inserted(next)), span = this.span();
    for (const node of this.data.nodes) {
      const card = this.cards[node.name], mine = here.nodes[node.name], then = next.nodes[node.name];
      for (const [role, { own, bars }] of Object.entries(card.roles)) {
        own.setAttribute("display", role === mine.role ? "inline" : "none");
        if (role !== mine.role) continue;
        for (const [stage, bar] of Object.entries(bars)) {
          const position = between(mine.positions[stage] ?? 0, then.positions[stage] ?? 0);
          bar.setAttribute("width", this.bar * Math.max(0, Math.min(1, 1 - (head - position) / span)));
        }
      }
      card.edge.setAttribute("stroke-width", mine.role === "primary" ? 4 : 2);
      card.edge.setAttribute("stroke-dasharray", mine.role === "down" ? "5 5" : "none");
      card.inside.setAttribute("opacity", mine.role === "down" ? 0.55 : 1);
      if (mine.role !== "standby") card.behind.textContent = mine.role;
      else card.behind.textContent = mine.lag_commits ? `−${time(mine.lag_seconds)}` : "up to date";
    }
    this.flights(here);
    this.looks(at);
  }

  // The bytes that a whole bar stands for: the most that any node is behind in this film, so that lag shows as a gap.
  span() {
    if (this.spanned) return this.spanned;
    let most = 1;
    for (const frame of this.data.frames)
      for (const state of Object.values(frame.nodes)) if (state.role !== "down") most = Math.max(most, state.lag_bytes);
    return (this.spanned = most * 1.25);
  }

  flights(frame) {
    this.moving.replaceChildren();
    for (const link of this.data.links) {
      const flight = frame.flights[link.to], there = frame.nodes[link.to];
      // A link whose primary is down stays, faint, until somebody else has taken over.
      const asked = there.upstream === link.from && there.role !== "down";
      const works = asked && frame.nodes[link.from].role !== "down";
      link.group.setAttribute("display", asked ? "inline" : "none");
      link.group.setAttribute("opacity", works ? 1 : 0.3);
      link.words.textContent = "";
      if (!flight || !works) continue;
      const from = this.places[link.from], to = this.places[link.to];
      const length = Math.hypot(to.x - from.x, to.y - from.y), slant = Math.abs(to.y - from.y) / length;
      // From the edge of one card to the edge of the other.
      const edge = Math.min(0.45, (slant > 0.7 ? HEIGHT / 2 + 6 : this.card_width / 2 + 6) / length);
      const put = (far, side, size, colour) => {
        const along = edge + far * (1 - 2 * edge);
        const x = from.x + (to.x - from.x) * along - (side * (to.y - from.y)) / length;
        const y = from.y + (to.y - from.y) * along + (side * (to.x - from.x)) / length;
        element("circle", { cx: x, cy: y, r: size, fill: colour, class: "message" }, this.moving);
      };
      for (const far of flight.messages) put(far, -6, 6, this.data.colors.text);
      for (const far of flight.replies) put(1 - far, 6, 3.5, this.data.colors.soft);
      const bytes = flight.in_flight;
      link.words.textContent = bytes ? `${bytes < 1000 ? `${bytes} B` : `${(bytes / 1000).toFixed(1)} kB`} on its way` : "";
    }
  }

  // Reads of the last few frames: a dot that falls onto the node, vermillion where it saw an old position.
  looks(at) {
    this.reads.replaceChildren();
    const told = {};
    for (let back = 0; back <= Math.min(TRACE_FRAMES, at); back++) {
      for (const look of this.data.frames[at - back].looks) {
        const place = this.places[look.node];
        const colour = look.stale ? this.data.colors.bad : this.data.colors.good;
        const x = place.x - this.card_width / 2 + 12 + ((look.number * 47) % Math.max(20, this.card_width - 90)), y = place.y - HEIGHT / 2 - 2 - 2 * back;
        const opacity = 1 - back / (TRACE_FRAMES + 1);
        element("path", { d: `M${x - 5},${y - 9} h10 l-5,9 z`, fill: colour, opacity, class: "look" }, this.reads);
        if (told[look.node]) continue;
        told[look.node] = true;
        const words = { x: place.x + this.card_width / 2, y: place.y - HEIGHT / 2 - 8, "text-anchor": "end" };
        const saw = look.stale ? `${time(look.age)} old` : "fresh";
        element("text", { ...words, "font-size": 12.5 }, this.reads, saw);
      }
    }
  }
}

export default function (component) {
  const { data, parentElement } = component;
  const root = parentElement.querySelector(".player");
  root.replaceChildren();
  if (!data || !data.frames.length) return;
  const film = new Film(data);
  const last = data.frames.length - 1;
  const bar = document.createElement("div");
  bar.className = "bar";
  const button = Object.assign(document.createElement("button"), { type: "button", textContent: "▶ Play" });
  const slider = Object.assign(document.createElement("input"), { type: "range", min: 0, max: last, step: "any", value: 0 });
  slider.setAttribute("aria-label", "Time");
  const speed = document.createElement("select");
  speed.setAttribute("aria-label", "Speed");
  for (const [name, factor] of [["half", 0.5], ["normal", 1], ["double", 2]])
    speed.append(Object.assign(document.createElement("option"), { value: factor, textContent: `${name} speed` }));
  speed.value = "1";
  const clock = document.createElement("output");
  bar.append(button, slider, clock, speed);
  const legend = document.createElement("div");
  legend.className = "legend";
  for (const [colour, words] of [["text", "WAL on its way"], ["soft", "reply"], ["good", "read that saw all"], ["bad", "stale read"]]) {
    const dot = Object.assign(document.createElement("span"), { className: "key" });
    dot.style.background = data.colors[colour];
    legend.append(dot, words);
  }
  legend.append(". A bar that is not full lacks WAL that the primary has.");
  root.append(bar, legend);

  let width = 0, place = 0, playing = false, before = 0, request = 0;
  const draw = () => {
    film.show(place);
    slider.value = place;
    clock.textContent = `${(film.start + (film.length * place) / last).toFixed(film.length < 2 ? 4 : 2)} s`;
    slider.setAttribute("aria-valuetext", clock.textContent);
  };
  const step = (now) => {
    if (!playing) return;
    // A frame's time may lie just before the click's.
    place += (Math.max(0, now - before) / 1000) * (last / SECONDS_TO_PLAY) * Number(speed.value);
    before = now;
    if (place >= last) { place = last; set(false); }
    draw();
    if (playing) request = requestAnimationFrame(step);
  };
  const set = (on) => {
    playing = on;
    button.textContent = on ? "❚❚ Pause" : "▶ Play";
    if (on) { if (place >= last) place = 0; before = performance.now(); request = requestAnimationFrame(step); }
  };
  button.onclick = () => set(!playing);
  slider.oninput = () => { set(false); place = Number(slider.value); draw(); };
  const fit = new ResizeObserver(() => {
    if (!root.clientWidth || root.clientWidth === width) return;
    film.build(root, (width = root.clientWidth));
    draw();
  });
  fit.observe(root);
  return () => { playing = false; cancelAnimationFrame(request); fit.disconnect(); };
}
