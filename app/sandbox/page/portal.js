// Microsoft's side: ask for a role, withdraw, decide in the "portal", and the list of the bot's calls.

import { dateText, h } from "./text.js";

const WORDS = {
  waiting: "Pending", for_admin: "Pending", scheduled: "Approved", provisioned: "Active", denied: "Denied", withdrawn: "Withdrawn",
  expired: "Expired", revoked: "Revoked", failed: "Failed", admin_approved: "Approved", admin_denied: "Denied",
};
const OPEN = ["waiting", "for_admin"];
const KINDS = { entra: "Directory role", azure: "Azure role", group: "Group" };
const byId = (id) => document.getElementById(id);
let isWired = false;

/** Draws the whole side; `post` sends an act, `redraw` replaces what changed. */
export function drawPortal(state, page) {
  if (!isWired) wireForm(page.post);
  isWired = true;
  const minute = Math.floor(Date.now() / 30_000);
  const { waiting, mine, waiting_count: waitingCount, mine_count: mineCount } = state.portal;
  const mayApprove = state.portal.may_approve || waitingCount > 0;
  page.redraw(byId("waiting"), [waiting, waitingCount, mayApprove, minute], () => mayApprove && h("details", { class: "card", open: true, "data-key": "waiting" },
    h("summary", {}, "Approve requests ", h("span", { class: "count" }, String(waitingCount))),
    waiting.length ? waiting.map((request) => waitingItem(request, page.post)) : h("p", { class: "small" }, "Nothing waits for a decision.")));
  page.redraw(byId("mine"), [mine, mineCount, minute], () => mine.length > 0 && h("details", { class: "card", open: true, "data-key": "mine" },
    h("summary", {}, "My requests ", h("span", { class: "count" }, String(mineCount))),
    mine.map((request) => ownItem(request, page.post))));
  page.redraw(byId("calls"), state.calls.at(-1)?.n ?? 0, () => state.calls.toReversed().map(callLine));
}

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

function ownItem(request, post) {
  const outcome = request.reviewer_name && `by ${request.reviewer_name}${request.comment ? `: ${request.comment}` : ""}`;
  return h("article", { class: "request" },
    h("p", {}, h("b", {}, title(request)), " ", h("span", { class: `pill ${request.standing}`, title: request.status }, stateWord(request))), facts(request),
    outcome && h("p", { class: "small" }, outcome),
    OPEN.includes(request.standing) && h("button", { type: "button", "data-key": `withdraw-${request.id}`, onclick: () => post("withdraw", { id: request.id }) }, "Withdraw"),
    request.active && h("button", { type: "button", "data-key": `deactivate-${request.id}`, onclick: () => post("deactivate", { id: request.id }) }, "Deactivate"));
}

function title(request) {
  if (request.kind === "group") return `${request.role === "owner" ? "Owner" : "Member"} of ${request.scope_name}`;
  if (request.kind === "azure") return `${request.role} on ${request.scope_name}`;
  return request.scope === "/" ? request.role : `${request.role} in ${request.scope_name}`;
}

function stateWord(request) {
  if (request.standing !== "provisioned") return WORDS[request.standing] ?? request.status;
  return request.active ? `Active, ${span(request.active.end)} left` : "Ended";
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

function callLine(call) {
  const isBad = !call.status || call.status >= 400;
  return h("li", { class: isBad ? "bad" : null }, h("span", { class: "service" }, call.service), " ", call.line, " ", h("b", {}, String(call.status ?? "no answer")));
}

function wireForm(post) {
  const form = byId("ask");
  const offers = JSON.parse(byId("offers").textContent);
  const { kind, role, scope } = form.elements;
  const demand = () => {
    const needs = offers[kind.value].ticket.some(([name, id]) => name === role.value && id === scope.value);
    byId("ticket-demand").textContent = needs ? "(required here)" : "(optional)";
  };
  const offer = () => {
    role.replaceChildren(...offers[kind.value].roles.map((name) => h("option", {}, name)));
    scope.replaceChildren(...offers[kind.value].scopes.map(({ id, name }) => h("option", { value: id }, name)));
    demand();
  };
  kind.addEventListener("change", offer);
  for (const choice of [role, scope]) choice.addEventListener("change", demand);
  offer();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    if (!await post("ask", fields)) return;
    form.reset();
    offer();
  });
}
