// The first minute: five steps that tick themselves off as they happen. Put away once, it stays away in this browser.

import { h } from "./text.js";

const AWAY = "tour-is-away";
const byId = (id) => document.getElementById(id);

/** Draws the guide where a person can still use it; `go` shows a pane of the page. */
export function drawTour(state, { redraw }) {
  const node = byId("tour");
  const steps = state.slack ? stepsOf(state) : [];
  node.hidden = !steps.length || localStorage.getItem(AWAY) !== null;
  redraw(node, [steps.map(([done]) => done), state.me.id, awaited(state)], () => [
    h("header", {}, h("h2", {}, "Your first minute"),
      h("button", { type: "button", class: "linkish", onclick: () => { localStorage.setItem(AWAY, "yes"); node.hidden = true; } }, "Put away")),
    h("ol", {}, steps.map(([done, ...words], n) => h("li", { value: n + 1, class: done ? "done" : steps.findIndex(([over]) => !over) === n ? "next" : null },
      h("span", { class: "unseen" }, done ? "Done: " : ""), words))),
  ]);
}

// How many requests wait for their first card; 0 once there is one.
function awaited(state) {
  const isEmpty = state.slack?.channels.every((room) => room.kind === "dm" || room.messages.every((message) => message.user !== state.bot.id));
  return isEmpty ? state.portal.waiting_count : 0;
}

const NUMBERS = ["", "One request arrives", "Two requests arrive", "Three requests arrive", "Four requests arrive", "Five requests arrive", "Six requests arrive"];
const arriving = (count) => (count ? `${NUMBERS[count] ?? `${count} requests arrive`} in a few seconds. ` : "");

// Microsoft's side stands beside Slack, or behind a tab where the window is narrow.
const beside = () => [h("span", { class: "if-wide" }, "on the right"), h("span", { class: "if-narrow" }, "under ", h("b", {}, "PIM portal"))];

function stepsOf(state) {
  const as = (id, name) => h("a", { href: `/?user=${id}` }, name);
  const { invited, signed_in: isIn, decided } = state.tour;
  const modal = state.slack.modals.length > 0;
  if (state.me.role !== "approver") return outcomeSteps(state, as);
  return [
    [isIn || invited || modal || decided > 0, "You are ", h("b", {}, state.me.name), ", an approver. ", arriving(awaited(state)), "Press ", h("b", {}, "Approve…"), " on a card."],
    [isIn || decided > 0, "Sign in once, through the link that only you see: Microsoft records the human who clicks."],
    [decided > 0, "Press ", h("b", {}, "Approve…"), " again, say why, submit. The card now tells everybody."],
    [false, "Become ", as(state.tour.requestor ?? "rob", "the requestor"), ": the bot told them, the role counts down ", beside(), ". Or break something on purpose there."],
  ];
}

function outcomeSteps(state, as) {
  const { mine } = state.portal;
  return [
    [mine.length > 0, "You are ", h("b", {}, state.me.name), ". Ask for a role ", beside(), "; a card appears in the approvers' channel within seconds."],
    [mine.some((request) => request.reviewer_name), "Let ", as("ann", "Ann"), " or ", as("ben", "Ben"), " decide it, or decide it in the portal as ", as("cleo", "Cleo"), ", who has no Slack."],
    [false, "Look at ", h("b", {}, "PIM Approvals"), " under Apps: what became of it, and type ", h("b", {}, "/pim mine"), "."],
  ];
}
