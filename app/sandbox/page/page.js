// The page: keeps one person's state, draws it, and posts what the person does. Drawing is cheap, so it redraws what changed.

import { blocks, retype, typed, words } from "./blocks.js";
import { wireComposer } from "./composer.js";
import { dateText, h, textObject } from "./text.js";
import { drawPortal, tick } from "./portal.js";
import { drawTour } from "./tour.js";
import { drawWorkbench } from "./workbench.js";

const byId = (id) => document.getElementById(id);
const user = document.body.dataset.user;
const query = new URLSearchParams(location.search);
const channels = () => state.slack?.channels ?? [];
const direct = () => channels().find((channel) => channel.kind === "dm");
const channelNow = () => (place.app ? direct() : channels().find((channel) => channel.id === place.id));
let state = JSON.parse(byId("state").textContent);
let place = firstPlace();
let newSince = null;
const noticed = new Set(); // whispers that were on the screen once
const drawn = new Map();

// --- talking to the world -------------------------------------------------------------------------------------------

/** Posts one act; a refusal is shown as a sentence. Answers whether it was taken. */
export async function post(name, fields) {
  try {
    const answer = await fetch(`/page/${name}`, {
      method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify({ user, ...fields }),
    });
    const body = await answer.json();
    if (!answer.ok) toast(body.error ?? "That did not work.");
    return answer.ok;
  } catch {
    toast("The sandbox does not answer. Is it still running?");
    return false;
  }
}

async function refresh() {
  const answer = await fetch(`/page/state?user=${user}`);
  if (!answer.ok) return;
  state = await answer.json();
  draw();
}

// A hidden tab does not listen: browsers allow one machine six open connections only.
function listen() {
  if (document.visibilityState !== "visible") return;
  const events = new EventSource(`/page/events?user=${user}`);
  let isBusy = false;
  let isStale = false;
  document.addEventListener("visibilitychange", () => events.close(), { once: true });
  events.onerror = () => toast("The sandbox does not answer. Is it still running?");
  events.onmessage = async () => {
    isStale = true;
    if (isBusy) return;
    for (isBusy = true; isStale;) {
      isStale = false;
      await refresh().catch(() => {});
    }
    isBusy = false;
  };
}

let hideToast;
function toast(sentence) {
  const node = byId("toast");
  node.textContent = sentence;
  node.hidden = false;
  clearTimeout(hideToast);
  hideToast = setTimeout(() => { node.hidden = true; }, 7000);
}

// --- drawing --------------------------------------------------------------------------------------------------------

function draw() {
  drawPlaces();
  drawTour(state, { redraw }); // before the messages: it takes room from them
  drawTalk();
  drawModal();
  drawPortal(state, { post, redraw });
  drawWorkbench(state, { post, redraw });
  drawMarks();
}

// Who has something unread, in the switcher and in the title of the tab.
function drawMarks() {
  for (const node of document.querySelectorAll("[data-unread]")) {
    const count = node.dataset.unread === user ? 0 : state.unread[node.dataset.unread] ?? 0;
    node.hidden = !count;
    node.textContent = String(count);
    node.setAttribute("title", `${count} unread`);
  }
  const own = state.unread[user] ?? 0;
  document.title = `${own ? `(${own}) ` : ""}${state.me.name.split(" ")[0]} · PIM Approvals sandbox`;
}

/** Redraws `node` if `facts` changed, keeping focus and what was typed. Answers whether it did. */
export function redraw(node, facts, build) {
  const now = JSON.stringify(facts);
  if (drawn.get(node) === now) return false;
  drawn.set(node, now);
  const focused = node.contains(document.activeElement) ? document.activeElement.dataset.key : null;
  const kept = new Map([...node.querySelectorAll("input[data-key], textarea[data-key]")].map((part) => [part.dataset.key, part.value]));
  const open = new Map([...node.querySelectorAll("details[data-key]")].map((part) => [part.dataset.key, part.open]));
  node.replaceChildren(...[build()].flat(Infinity).filter(Boolean));
  for (const part of node.querySelectorAll("[data-key]")) {
    if (kept.has(part.dataset.key) && !["radio", "checkbox"].includes(part.type)) part.value = kept.get(part.dataset.key);
    if (open.has(part.dataset.key)) part.open = open.get(part.dataset.key);
    if (focused && part.dataset.key === focused) part.focus();
  }
  return true;
}

function firstPlace() {
  const wanted = channels().find((channel) => channel.id === query.get("channel"));
  const private_ = channels().find((channel) => channel.is_private && channel.kind !== "dm");
  const first = wanted ?? private_ ?? (direct() ? null : channels()[0]);
  return first && first.kind !== "dm" ? { id: first.id } : { app: true, tab: "messages" };
}

function go(next) {
  place = next;
  newSince = channelNow()?.read ?? null;
  show("talk");
  if (place.app && place.tab === "home") post("home", {});
  draw();
  byId("messages").scrollTop = byId("messages").scrollHeight;
}

function drawPlaces() {
  const facts = [channels().map(({ id, name, kind, unread, is_private }) => [id, name, kind, unread, is_private]), place];
  redraw(byId("places"), facts, () => {
    if (!state.slack) return h("p", { class: "small" }, "No Slack account");
    const rooms = channels().filter((channel) => channel.kind !== "dm");
    return [
      h("h2", {}, "Channels"),
      h("ul", {}, rooms.map((channel) => h("li", {}, placeButton({ id: channel.id }, channel.is_private ? h("span", { class: "lock" }) : "#", channel.name, channel.unread)))),
      h("h2", {}, "Apps"),
      h("ul", {}, h("li", {}, placeButton({ app: true, tab: direct()?.messages.length ? "messages" : "home" }, appIcon(20), state.bot.name, direct()?.unread ?? 0))),
    ];
  });
}

function placeButton(target, sign, name, unread) {
  const isHere = target.app ? place.app : place.id === target.id;
  return h("button", {
    type: "button", class: unread ? "unread" : "", "aria-current": isHere ? "page" : null, "data-key": target.id ?? "app", onclick: () => go(target),
  }, h("span", { class: "sign", "aria-hidden": "true" }, sign), h("span", { class: "name" }, name),
  unread ? h("span", { class: "badge", "aria-label": `${unread} new` }, String(unread)) : null);
}

const appIcon = (size) => h("img", { src: "/page/files/icon.svg", alt: "", width: size, height: size });

function drawTalk() {
  const channel = channelNow();
  const isHome = place.app && place.tab === "home";
  redraw(byId("heading"), [place, channel?.name, channel?.members], () => heading(channel));
  byId("composer").hidden = isHome || !state.slack;
  byId("words").placeholder = place.app ? "Type / for commands" : `Message #${channel?.name ?? ""}, or / for commands`;
  const box = byId("messages");
  const wasAtEnd = box.scrollHeight - box.scrollTop - box.clientHeight < 60;
  const facts = isHome ? [place, state.slack?.home] : [place, channel?.messages, newSince];
  if (redraw(box, facts, () => (isHome ? homeTab() : messageList(channel))) && !isHome) settle(box, wasAtEnd, newWhisper(channel));
  if (channel?.unread && !isHome && document.visibilityState === "visible") post("read", { channel: channel.id });
}

function heading(channel) {
  if (!state.slack) return h("h1", {}, "Slack");
  if (!place.app) {
    return [h("h1", {}, channel?.is_private ? h("span", { class: "lock" }) : "#", " ", channel?.name ?? ""), h("span", { class: "small" }, `${channel?.members ?? 0} members`)];
  }
  const tab = (name, label) => h("button", {
    type: "button", class: "tab", "aria-pressed": String(place.tab === name), "data-key": name, onclick: () => go({ app: true, tab: name }),
  }, label);
  return [h("h1", {}, appIcon(22), " ", state.bot.name), h("div", { class: "tabs" }, tab("home", "Home"), tab("messages", "Messages"))];
}

// A whisper answers what its reader just pressed, however far up that was.
function newWhisper(channel) {
  const fresh = (channel?.messages ?? []).filter((message) => message.only_you && !noticed.has(message.ts));
  for (const message of fresh) noticed.add(message.ts);
  return fresh.at(-1);
}

const nodeOf = (box, ts) => box.querySelector(`[data-ts="${CSS.escape(ts.replace(".", ""))}"]`);

function settle(box, wasAtEnd, whisper) {
  const wanted = query.get("ts") && nodeOf(box, query.get("ts"));
  if (wanted) {
    query.delete("ts");
    wanted.classList.add("wanted");
    wanted.scrollIntoView({ block: "center" });
  } else if (wasAtEnd) box.scrollTop = box.scrollHeight;
  else if (whisper) nodeOf(box, whisper.ts)?.scrollIntoView({ block: "nearest" });
}

function messageList(channel) {
  if (!state.slack) return empty(`${state.me.name} has no Slack account.`, "They decide in Microsoft's portal, beside this; the bot's card follows.");
  if (!channel) return empty("Nothing here yet.", "Messages from the app will appear here. Its commands start with /pim.");
  const shown = channel.messages.filter((message) => !message.thread_ts || message.thread_ts === message.ts);
  const nodes = [empty(channel.kind === "dm" ? state.bot.name : `#${channel.name}`, "This is the very beginning of this conversation.")];
  let before = null;
  for (const message of shown) {
    if (!before || dayOf(before) !== dayOf(message)) nodes.push(h("p", { class: "day" }, h("span", {}, dateText(Number(message.ts), "{date_long_pretty}"))));
    const isNew = newSince !== null && !message.only_you && message.ts > newSince && !(before && before.ts > newSince) && message.user !== state.me.slack;
    if (isNew) nodes.push(h("p", { class: "new" }, h("span", {}, "New")));
    nodes.push(messageNode(message, channel, before));
    before = message;
  }
  return nodes;
}

const empty = (title, words_) => h("div", { class: "beginning" }, h("h2", {}, title), h("p", { class: "small" }, words_));
const dayOf = (message) => new Date(Number(message.ts) * 1000).toDateString();

function messageNode(message, channel, before) {
  const replies = channel.messages.filter((other) => other.thread_ts === message.ts && other.ts !== message.ts);
  const isSameRun = before && before.user === message.user && !message.only_you && !before.only_you && Number(message.ts) - Number(before.ts) < 240;
  const view = viewOf({ channel: message.channel, ts: message.ts });
  const clock = dateText(Number(message.ts), "{time}");
  const time = h("time", { datetime: new Date(Number(message.ts) * 1000).toISOString() }, isSameRun ? clock.replace(/\s.*/, "") : clock);
  const isBot = message.user === state.bot.id;
  return h("article", { class: `message${isSameRun ? " same" : ""}${message.only_you ? " only-you" : ""}`, "data-ts": message.ts.replace(".", "") },
    h("div", { class: "gutter" }, isSameRun ? time : avatar(message.user)),
    h("div", { class: "said" },
      message.only_you && h("p", { class: "small" }, h("span", { class: "eye" }), " Only visible to you ",
        h("button", { type: "button", class: "linkish", "data-key": `dismiss${message.ts}`, onclick: () => post("dismiss", { channel: message.channel, ts: message.ts }) }, "Dismiss")),
      !isSameRun && h("p", { class: "by" }, h("b", {}, state.names[message.user] ?? message.user), isBot && h("span", { class: "app-badge" }, "APP"), time),
      message.blocks.length ? blocks(message.blocks, view) : words(message.text, view),
      (message.files ?? []).map((file) => h("p", { class: "file" },
        h("a", { href: `/page/download/${encodeURIComponent(file.id)}?user=${encodeURIComponent(user)}`, download: file.name, "data-key": file.id }, `Download ${file.title || file.name}`),
        h("span", { class: "small" }, ` ${Math.max(1, Math.round(file.size / 1000))} kB`))),
      message.edits > 0 && !message.blocks.length && h("span", { class: "small" }, " (edited)"),
      replies.length > 0 && h("details", { class: "thread", "data-key": `thread${message.ts}` },
        h("summary", {}, `${replies.length} ${replies.length === 1 ? "reply" : "replies"}`),
        replies.map((reply, n) => messageNode({ ...reply, thread_ts: null }, { messages: [] }, replies[n - 1])))));
}

function avatar(slack) {
  if (slack === state.bot.id) return h("span", { class: "avatar bot" }, appIcon(36));
  const name = state.names[slack] ?? "?";
  return h("span", { class: "avatar", "data-who": state.ids[slack], "aria-hidden": "true" }, name[0]);
}

/** What blocks need to know of where they stand, and how their elements act. */
function viewOf(where, more = {}) {
  const channelNames = Object.fromEntries(channels().map((channel) => [channel.id, channel.name]));
  return {
    at: where.ts ?? where.view_id ?? "home", names: { ...channelNames, ...state.names }, confirm: askToConfirm,
    act: (action) => post("click", { ...where, ...action, ...(more.typed ? { typed: more.typed() } : {}) }), ...more,
  };
}

function homeTab() {
  const view = state.slack?.home;
  if (!view) return empty("Home", "The app has not published a home yet. If it does, it appears here.");
  return h("div", { class: "home" }, blocks(view.blocks, viewOf({ home: true })));
}

// --- modals ---------------------------------------------------------------------------------------------------------

function drawModal() {
  const stack = state.slack?.modals ?? [];
  const view = stack.at(-1);
  const dialog = byId("modal");
  if (!view) {
    drawn.delete(dialog);
    if (dialog.open) dialog.close();
    return;
  }
  const kept = typed(dialog);
  const isSame = dialog.dataset.view === view.id;
  const isRedrawn = redraw(dialog, view, () => modalForm(view, stack.length > 1, dialog));
  if (isRedrawn && isSame) retype(dialog, kept);
  dialog.dataset.view = view.id;
  if (!dialog.open) dialog.showModal();
  if (!isRedrawn) return;
  if (dialog.querySelector("[aria-invalid]")) showWrong(dialog);
  else if (!isSame) dialog.querySelector("textarea, input, select")?.focus({ preventScroll: true }); // what stands above comes first
}

// The field with what is said below it: the focus alone would leave that behind the footer of a phone.
function showWrong(dialog) {
  const wrong = dialog.querySelector("[aria-invalid]");
  wrong?.focus();
  const field = wrong?.closest(".b-input");
  for (const part of [field, field?.querySelector(".error")]) part?.scrollIntoView({ block: "nearest" });
}

function modalForm(view, isCovering, dialog) {
  const shut = () => post("close", { view_id: view.id });
  const submit = async (event) => {
    event.preventDefault();
    const form = event.currentTarget;
    form.setAttribute("aria-busy", "true");
    byId("toast").hidden = true;
    await post("submit", { view_id: view.id, values: typed(dialog) });
    form.removeAttribute("aria-busy");
    showWrong(dialog); // the same mistake again redraws nothing
  };
  const here = viewOf({ view_id: view.id }, { errors: view.errors, typed: () => typed(dialog) });
  return h("form", { novalidate: true, onsubmit: submit },
    h("header", {}, appIcon(28), h("h2", { id: "modal-title" }, textObject(view.title)),
      h("button", { type: "button", class: "icon", "aria-label": isCovering ? "Back" : "Close", onclick: shut }, isCovering ? "‹" : "×")),
    h("div", { class: "inside" }, view.trouble && h("p", { class: "b-alert error", role: "alert" }, view.trouble), blocks(view.blocks, here)),
    h("footer", {}, h("button", { type: "button", class: "button", onclick: shut }, textObject(view.close) || "Cancel"),
      view.submit && h("button", { type: "submit", class: "button primary" }, textObject(view.submit))));
}

/** A confirm object as a small modal; answers true or false. */
function askToConfirm(confirm) {
  const dialog = byId("confirm");
  return new Promise((resolve) => {
    const end = (answer) => { dialog.close(); resolve(answer); };
    dialog.oncancel = () => resolve(false);
    dialog.replaceChildren(h("form", { method: "dialog" },
      h("header", {}, h("h2", { id: "confirm-title" }, textObject(confirm.title))), h("div", { class: "inside" }, textObject(confirm.text, state.names)),
      h("footer", {}, h("button", { type: "button", class: "button", onclick: () => end(false) }, textObject(confirm.deny)),
        h("button", { type: "button", class: `button ${confirm.style ?? "primary"}`, onclick: () => end(true) }, textObject(confirm.confirm)))));
    dialog.showModal();
  });
}

// --- start ----------------------------------------------------------------------------------------------------------

function show(pane) {
  document.body.dataset.pane = pane;
  for (const button of document.querySelectorAll("[data-show]")) button.setAttribute("aria-pressed", String(button.dataset.show === pane));
}

// Overflow menus close like menus: at a click elsewhere, and at Escape.
function shutMenus(clicked) {
  for (const menu of document.querySelectorAll(".overflow[open]")) {
    if (menu.contains(clicked)) continue;
    menu.open = false;
    if (!clicked) menu.querySelector("summary").focus();
  }
}

for (const button of document.querySelectorAll("[data-show]")) button.addEventListener("click", () => show(button.dataset.show));
byId("modal").addEventListener("cancel", (event) => {
  event.preventDefault();
  post("close", { view_id: byId("modal").dataset.view });
});
document.addEventListener("visibilitychange", listen);
newSince = channelNow()?.read ?? null;
show(state.slack ? "talk" : "portal");
wireComposer({ post, toast, channelNow });
draw();
setInterval(() => drawPortal(state, { post, redraw }), 30_000);
setInterval(tick, 1000);
document.addEventListener("click", (event) => shutMenus(event.target));
document.addEventListener("keydown", (event) => event.key === "Escape" && shutMenus(null));
listen();
