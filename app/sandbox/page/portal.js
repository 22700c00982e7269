// Microsoft's side: ask for a role, withdraw, decide in the "portal", and the list of the bot's calls.

import { dateText, h } from "./text.js";

const WORDS = { PendingApproval: "Pending", Provisioned: "Active", Granted: "Approved", Denied: "Denied", Canceled: "Withdrawn", Failed: "Expired" };
const byId = (id) => document.getElementById(id);
let isWired = false;

/** Draws the whole side; `post` sends an act, `redraw` replaces what changed. */
export function drawPortal(state, page) {
  if (!isWired) wireForm(page.post);
  isWired = true;
  const minute = Math.floor(Date.now() / 30_000);
  const { waiting, mine, may_approve: mayApprove } = state.portal;
  page.redraw(byId("waiting"), [waiting, mayApprove, minute], () => mayApprove && h("details", { class: "card", open: true, "data-key": "waiting" },
    h("summary", {}, "Approve requests ", h("span", { class: "count" }, String(waiting.length))),
    waiting.length ? waiting.map((request) => waitingItem(request, page.post)) : h("p", { class: "small" }, "Nothing waits for a decision.")));
  page.redraw(byId("mine"), [mine, minute], () => mine.length > 0 && h("details", { class: "card", open: true, "data-key": "mine" },
    h("summary", {}, "My requests ", h("span", { class: "count" }, String(mine.length))),
    mine.map((request) => ownItem(request, page.post))));
  page.redraw(byId("calls"), state.calls.at(-1)?.n ?? 0, () => state.calls.toReversed().map(callLine));
}

function waitingItem(request, post) {
  const decide = async (verdict) => {
    const comment = byId(`why-${request.id}`);
    if (await post("decide", { id: request.id, verdict, comment: comment.value })) comment.value = "";
  };
  return h("article", { class: "request" },
    h("p", {}, h("b", {}, request.role), ` for ${request.requestor_name}`), facts(request),
    h("label", { class: "small", for: `why-${request.id}` }, "Justification of the decision"),
    h("input", { id: `why-${request.id}`, "data-key": `why-${request.id}`, maxlength: "500", autocomplete: "off" }),
    h("div", { class: "b-actions" },
      h("button", { type: "button", class: "blue", "data-key": `yes-${request.id}`, onclick: () => decide("approve") }, "Approve"),
      h("button", { type: "button", "data-key": `no-${request.id}`, onclick: () => decide("deny") }, "Deny")));
}

function ownItem(request, post) {
  const isOpen = request.status === "PendingApproval";
  const outcome = request.reviewer_name && `by ${request.reviewer_name}${request.comment ? `: ${request.comment}` : ""}`;
  return h("article", { class: "request" },
    h("p", {}, h("b", {}, request.role), " ", h("span", { class: `pill ${request.status}` }, stateWord(request))), facts(request),
    outcome && h("p", { class: "small" }, outcome),
    isOpen && h("button", { type: "button", "data-key": `withdraw-${request.id}`, onclick: () => post("withdraw", { id: request.id }) }, "Withdraw"));
}

function stateWord(request) {
  if (request.status !== "Provisioned") return WORDS[request.status] ?? request.status;
  return request.active ? `Active, ${span(request.active.end)} left` : "Ended";
}

function facts(request) {
  const ticket = request.ticket?.number && ` · ${request.ticket.number}`;
  const deadline = request.status === "PendingApproval" && ` · ${span(request.expires)} left to decide`;
  return [
    h("p", { class: "small" }, duration(request.duration), ticket, " · asked ", dateText(Date.parse(request.created) / 1000, "{ago}"), deadline),
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
  const demand = () => {
    const needs = form.elements.role.selectedOptions[0].dataset.demands.includes("Ticketing");
    byId("ticket-demand").textContent = needs ? "(this role demands one)" : "(optional)";
  };
  form.elements.role.addEventListener("change", demand);
  demand();
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form));
    if (await post("ask", fields)) form.reset();
    demand();
  });
}
