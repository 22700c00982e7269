// Microsoft's side: eligible roles, asking, one's own requests, what is active now, deciding in the "portal".

import { dateText, h } from "./text.js";

const WORDS = {
  waiting: "Pending", for_admin: "Pending", scheduled: "Approved", provisioned: "Active", denied: "Denied", withdrawn: "Withdrawn",
  expired: "Expired", revoked: "Revoked", failed: "Failed", admin_approved: "Approved", admin_denied: "Denied",
};
const OPEN = ["waiting", "for_admin"];
const AT_ONCE = 3;
const KINDS = { entra: "Directory role", azure: "Azure role", group: "Group" };
const byId = (id) => document.getElementById(id);
const offers = JSON.parse(byId("offers").textContent);
let isWired = false;

/** Draws the whole side; `post` sends an act, `redraw` replaces what changed. */
export function drawPortal(state, page) {
  if (!isWired) wireForm(page);
  isWired = true;
  const minute = Math.floor(Date.now() / 30_000);
  const { waiting, mine, waiting_count: waitingCount, mine_count: mineCount } = state.portal;
  const mayApprove = state.portal.may_approve || waitingCount > 0;
  const active = mine.filter((request) => request.active);
  page.redraw(byId("waiting"), [waiting, waitingCount, mayApprove, minute], () => mayApprove && card("waiting", "Approve requests", waitingCount, true,
    waiting.length ? folded(waiting.map((request) => waitingItem(request, page.post))) : h("p", { class: "small" }, "Nothing waits for a decision.")));
  page.redraw(byId("active"), [active], () => active.length > 0 && card("active", "Active roles", active.length, true,
    active.map((request) => activeItem(request, page.post))));
  page.redraw(byId("eligible"), "once", () => card("eligible", "Eligible roles", null, !mayApprove, eligible()));
  page.redraw(byId("mine"), [mine, mineCount, minute], () => mine.length > 0 && card("mine", "My requests", mineCount, true,
    mine.map((request) => ownItem(request, page.post))));
  tick();
}

/** Moves every countdown on; called each second. */
export function tick() {
  for (const node of document.querySelectorAll("[data-until]")) {
    const now = clock(node.dataset.until);
    if (node.textContent !== now) node.textContent = now;
  }
}

const card = (key, title, count, open, ...inside) => h("details", { class: "card", open, "data-key": key },
  h("summary", {}, title, count !== null && [" ", h("span", { class: "count" }, String(count))]), inside);

// A long list would push what stands below it off the screen.
const folded = (items) => [items.slice(0, AT_ONCE), items.length > AT_ONCE && h("details", { class: "more", "data-key": "waiting-all" },
  h("summary", {}, `Show all ${items.length}`), items.slice(AT_ONCE))];

function waitingItem(request, post) {
  const decide = async (verdict) => {
    const comment = byId(`why-${request.id}`);
    if (await post("decide", { id: request.id, verdict, comment: comment.value })) comment.value = "";
  };
  return h("article", { class: "request" },
    h("p", {}, h("b", {}, title(request)), ` for ${request.requestor_name}`), facts(request),
    h("label", { class: "small", for: `why-${request.id}` }, "Justification of the decision"),
    h("input", { id: `why-${request.id}`, "data-key": `why-${request.id}`, maxlength: "500", autocomplete: "off" }),
    h("div", { class: "b-actions" },
      h("button", { type: "button", class: "blue", "data-key": `yes-${request.id}`, onclick: () => decide("approve") }, "Approve"),
      h("button", { type: "button", "data-key": `no-${request.id}`, onclick: () => decide("deny") }, "Deny")));
}

function activeItem(request, post) {
  return h("article", { class: "request" },
    h("p", {}, h("b", {}, title(request))),
    h("p", { class: "left" }, h("span", { class: "clock", "data-until": request.active.end, role: "timer" }, clock(request.active.end)), " left, until ",
      dateText(Date.parse(request.active.end) / 1000, "{time}")),
    h("button", { type: "button", "data-key": `deactivate-${request.id}`, onclick: () => post("deactivate", { id: request.id }) }, "Deactivate"));
}

function ownItem(request, post) {
  const outcome = request.reviewer_name && `by ${request.reviewer_name}${request.comment ? `: ${request.comment}` : ""}`;
  return h("article", { class: "request" },
    h("p", {}, h("b", {}, title(request)), " ", h("span", { class: `pill ${request.standing}`, title: request.status }, stateWord(request))), facts(request),
    outcome && h("p", { class: "small" }, outcome),
    OPEN.includes(request.standing) && h("button", { type: "button", "data-key": `withdraw-${request.id}`, onclick: () => post("withdraw", { id: request.id }) }, "Withdraw"));
}

function eligible() {
  return Object.keys(KINDS).map((kind) => [h("h2", {}, offers[kind].name), offers[kind].eligible.map((pair) => eligibleRow(kind, ...pair))]);
}

function eligibleRow(kind, role, scope) {
  const place = offers[kind].scopes.find(({ id }) => id === scope).name.replace(/ \(.*/, "");
  const where = { entra: "", azure: ` on ${place}`, group: ` of ${place}` }[kind];
  return h("p", { class: "eligible" }, h("span", {}, h("b", {}, roleWord(kind, role)), where),
    h("button", { type: "button", class: "linkish", "aria-label": `Activate ${roleWord(kind, role)}${where}`, onclick: () => fill(kind, role, scope) }, "Activate"));
}

const roleWord = (kind, role) => (kind === "group" ? { owner: "Owner", member: "Member" }[role] : role);

function title(request) {
  if (request.kind === "group") return `${roleWord("group", request.role)} of ${request.scope_name}`;
  if (request.kind === "azure") return `${request.role} on ${request.scope_name}`;
  return request.scope === "/" ? request.role : `${request.role} in ${request.scope_name}`;
}

function stateWord(request) {
  if (request.standing !== "provisioned") return WORDS[request.standing] ?? request.status;
  return request.active ? "Active" : "Ended";
}

function facts(request) {
  const ticket = request.ticket?.number && ` · ${request.ticket.number}`;
  const deadline = OPEN.includes(request.standing) && ` · ${span(request.expires)} left to decide`;
  return [
    h("p", { class: "small" }, `${KINDS[request.kind]} · `, duration(request.duration), ticket, " · asked ", dateText(Date.parse(request.created) / 1000, "{ago}"), deadline),
    request.justification && h("p", { class: "why" }, request.justification),
  ];
}

const duration = (iso) => iso.replace(/^P(?:(\d+)D)?T?(?:(\d+)H)?(?:(\d+)M)?.*$/, (_, d, hours, m) => [d && `${d} d`, hours && `${hours} h`, m && `${m} min`].filter(Boolean).join(" "));

function span(until) {
  const minutes = Math.max(0, Math.round((Date.parse(until) - Date.now()) / 60_000));
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

function clock(until) {
  const seconds = Math.max(0, Math.round((Date.parse(until) - Date.now()) / 1000));
  return [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60].map((part) => String(part).padStart(2, "0")).join(":");
}

// --- asking ---------------------------------------------------------------------------------------------------------

function fill(kind, role, scope) {
  const form = byId("ask");
  form.elements.kind.value = kind;
  offer();
  form.elements.role.value = role;
  form.elements.scope.value = scope;
  demand();
  byId("activate").open = true;
  form.elements.justification.focus();
  form.scrollIntoView({ block: "nearest" });
}

function offer() {
  const { kind, role, scope } = byId("ask").elements;
  role.replaceChildren(...offers[kind.value].roles.map((name) => h("option", { value: name }, roleWord(kind.value, name))));
  scope.replaceChildren(...offers[kind.value].scopes.map(({ id, name }) => h("option", { value: id }, name)));
  demand();
}

function demand() {
  const { kind, role, scope } = byId("ask").elements;
  const wants = offers[kind.value].demands[`${role.value}|${scope.value}`];
  byId("ticket-demand").textContent = wants.ticket ? "(required here)" : "(optional)";
  const needs = [wants.justification && "a justification", wants.ticket && "a ticket", wants.mfa && "MFA", wants.context && `authentication context ${wants.context}`];
  byId("demands").textContent = `PIM allows ${wants.hours} h at most and asks for ${needs.filter(Boolean).join(", ")}. Approves: ${wants.approvers}.`;
}

function wireForm({ post }) {
  const form = byId("ask");
  form.elements.kind.addEventListener("change", offer);
  for (const choice of [form.elements.role, form.elements.scope]) choice.addEventListener("change", demand);
  offer();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    if (!await post("ask", Object.fromEntries(new FormData(form)))) return;
    form.reset();
    offer();
  });
}
