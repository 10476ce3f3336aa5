"use strict";

// The page is only ever written to with textContent: every name on it is somebody's input.
// The server sends the members of the state that have changed; see page/feed.py.

const MISSING = "–";
const SOON = 250, LATER = 5000; // milliseconds
const NEWS = 3000; // milliseconds between two announcements for a screen reader
const SPOKEN = 3; // transitions that are read out one by one
const GOOD = new Set(["available", "in-use", "ACTIVE", "gone"]);

const byId = id => document.getElementById(id);

function element(name, content, className) {
  const made = document.createElement(name);
  if (className) made.className = className;
  for (const each of [content].flat()) made.append(each);
  return made;
}

// -- texts --------------------------------------------------------------------------

function bytes(number) {
  if (number === null) return MISSING;
  const units = ["B", "KiB", "MiB", "GiB", "TiB", "PiB"];
  let unit = 0;
  for (; number >= 1024 && unit < units.length - 1; unit++) number /= 1024;
  return (number < 10 && unit ? number.toFixed(1).replace(".0", "") : Math.round(number)) + " " + units[unit];
}

function when(seconds) {
  if (seconds === null) return element("span", "now", "busy");
  const date = new Date(seconds * 1000);
  const made = element("time", date.toLocaleTimeString([], {hour12: false}), "time");
  made.dateTime = date.toISOString();
  made.title = date.toLocaleString();
  return made;
}

function statusClass(status) {
  if (GOOD.has(status)) return "good";
  return /^error|^ERROR/.test(status) ? "bad" : "busy";
}

const status = text => element("span", text, statusClass(text));

function named(row, tag = "span") {
  const parts = [row.name || "(no name)", element("span", row.id, "id")];
  return element(tag, parts);
}

// -- rows: the key, the cells --------------------------------------------------------

const nodeVolume = volume => element("li", [
  element("code", volume.device || MISSING), " ", volume.name || volume.id, " (", status(volume.status), ")",
]);

function nodeVolumes(volumes) {
  const items = volumes.rows.map(nodeVolume);
  const more = volumes.total - items.length;
  if (more > 0) items.push(element("li", more + " more"));
  return items.length ? element("ul", items) : MISSING;
}

const attachedTo = row => row.holder ? [row.holder, element("span", row.device, "id")] : MISSING;

const TABLES = {
  nodes: row => [row.id, [named(row), status(row.status), nodeVolumes(row.volumes)]],
  volumes: row => [row.id, [
    named(row),
    element("span", bytes(row.size) + (row.growing ? " → " + bytes(row.growing) : ""), "size"),
    status(row.status), attachedTo(row), when(row.created),
  ]],
  snapshots: row => [row.id, [
    named(row), element("span", bytes(row.size), "size"), status(row.status),
    element("span", row.volume, "id"), when(row.created),
  ]],
  transitions: row => [[row.kind, row.id, row.from, row.time].join(), [
    when(row.time), named(row),
    [
      row.from, " → ", row.to ? status(row.to) : "…", element("span", row.holder, "id"),
      element("span", row.reason, "reason"),
    ],
  ]],
  requests: row => [row.id, [
    when(row.time), [element("code", row.method), " ", row.path, element("span", row.id, "id")],
    row.status === null ? "none" : element("span", String(row.status), row.status < 400 ? "good" : "bad"),
  ]],
};
const NOTHING = {
  nodes: "No nodes.", volumes: "No volumes.", snapshots: "No snapshots.",
  transitions: "No transitions yet.", requests: "No requests yet.",
};

// A row whose content has not changed stays the element that it is, with what is selected in it.
function showTable(name, part, first) {
  const body = byId(name).tBodies[0];
  const labels = [...byId(name).tHead.rows[0].cells].map(cell => cell.textContent);
  const header = labels[0] === "Time" ? 1 : 0;
  const known = new Map([...body.rows].map(row => [row.dataset.key, row]));
  const rows = part.rows.map(row => {
    const [key, cells] = TABLES[name](row), content = JSON.stringify(row), before = known.get(key);
    if (before && before.dataset.content === content) return before;
    const made = element("tr", cells.map((cell, index) => tableCell(cell, labels[index], index === header)));
    made.setAttribute("role", "row");
    Object.assign(made.dataset, {key, content});
    if (!first) made.className = "changed";
    return made;
  });
  if (!rows.every((row, index) => body.rows[index] === row) || rows.length !== body.rows.length)
    body.replaceChildren(...rows);
  showMore(byId(name).nextElementSibling, name, part);
}

function tableCell(content, label, isHeader) {
  const cell = element(isHeader ? "th" : "td", content);
  cell.setAttribute("role", isHeader ? "rowheader" : "cell");
  if (isHeader) cell.scope = "row";
  else cell.dataset.label = label;
  return cell;
}

function showMore(line, name, part) {
  const more = (part.matching ?? part.rows.length) - part.rows.length;
  const hidden = (part.total ?? 0) - (part.matching ?? 0);
  const texts = [];
  if (!part.rows.length) texts.push(hidden > 0 ? "None matches the filter." : NOTHING[name]);
  if (more > 0) texts.push(`${more} more; filter to find them.`);
  if (part.rows.length && hidden > 0) texts.push(`${hidden} do not match the filter.`);
  line.textContent = texts.join(" ");
  line.hidden = !texts.length;
}

function showDisk(disk) {
  byId("promised").textContent = bytes(disk.promised);
  byId("used").textContent = bytes(disk.used);
  byId("free").textContent = bytes(disk.free);
  byId("share").value = disk.used === null ? 0 : disk.used / Math.max(1, disk.used + disk.free);
}

// -- news for a screen reader, without a flood ------------------------------------------

const news = [];
let newsTimer = null, lastTime = 0;

function hear(rows, first) {
  const ended = rows.filter(row => row.time !== null && row.time > lastTime).reverse();
  lastTime = Math.max(lastTime, ...ended.map(row => row.time));
  if (first) return;
  news.push(...ended);
  if (news.length && newsTimer === null) newsTimer = setTimeout(announce, SOON);
}

function announce() {
  const texts = news.slice(-SPOKEN).map(
    row => `${row.kind} ${row.name || row.id}: ${row.to}` + (row.reason ? `, ${row.reason}` : "")
  );
  if (news.length > SPOKEN) texts.unshift(`${news.length} transitions, the last ones`);
  news.length = 0;
  byId("news").textContent = texts.join("; ");
  newsTimer = setTimeout(() => {
    newsTimer = null;
    if (news.length) announce();
  }, NEWS);
}

// -- the feed -------------------------------------------------------------------------------

let source = null, shown = new Set();

function connection(text, className) {
  const line = byId("connection");
  // The same text again would be read out again.
  if (line.textContent !== text) line.textContent = text;
  line.className = className;
}

function show(state) {
  for (const [name, part] of Object.entries(state)) {
    const first = !shown.has(name);
    shown.add(name);
    if (name === "disk") showDisk(part);
    else showTable(name, part, first);
    if (name === "transitions") hear(part.rows, first);
  }
}

function listen() {
  if (source) source.close();
  source = new EventSource("page/events?filter=" + encodeURIComponent(byId("filter").value));
  source.onopen = () => connection("Live", "live");
  source.onmessage = event => show(JSON.parse(event.data));
  source.onerror = () => {
    connection("Connection lost; trying again …", "lost");
    // A browser gives up after a refusal.
    if (source.readyState === EventSource.CLOSED) setTimeout(listen, LATER);
  };
}

let typing = null;
byId("filter").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(listen, SOON);
});
listen();
