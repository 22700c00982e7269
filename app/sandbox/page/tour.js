// The first minute: five steps that tick themselves off as they happen. Put away once, it stays away in this browser.

import { h } from "./text.js";

const AWAY = "tour-is-away";
const byId = (id) => document.getElementById(id);

/** Draws the guide where a person can still use it; `go` shows a pane of the page. */
export function drawTour(state, { redraw }) {
  const node = byId("tour");
  const steps = state.slack ? stepsOf(state) : [];
  node.hidden = !steps.length || localStorage.getItem(AWAY) !== null;
  redraw(node, [steps.map(([done]) => done), state.me.id], () => [
    h("header", {}, h("h2", {}, "Your first minute"),
      h("button", { type: "button", class: "linkish", onclick: () => { localStorage.setItem(AWAY, "yes"); node.hidden = true; } }, "Put away")),
    h("ol", {}, steps.map(([done, ...words], n) => h("li", { class: done ? "done" : steps.findIndex(([over]) => !over) === n ? "next" : null },
      h("span", { class: "unseen" }, done ? "Done: " : ""), words))),
  ]);
}

function stepsOf(state) {
  const as = (id, name) => h("a", { href: `/?user=${id}` }, name);
  const { signed_in: isIn, decided } = state.tour;
  const modal = state.slack.modals.length > 0;
  if (state.me.role !== "approver") return outcomeSteps(state, as);
  return [
    [isIn || modal || decided > 0, "You are ", h("b", {}, state.me.name), ", an approver. Press ", h("b", {}, "Approve…"), " on a card."],
    [isIn || decided > 0, "Sign in once, through the link that only you see: Microsoft records the human who clicks."],
    [decided > 0, "Press ", h("b", {}, "Approve…"), " again, say why, submit. The card now tells everybody."],
    [false, "Become ", as(state.tour.requestor ?? "rob", "the requestor"), ": the bot told them, the role counts down on the right. Or break something on purpose there."],
  ];
}

function outcomeSteps(state, as) {
  const { mine } = state.portal;
  return [
    [mine.length > 0, "You are ", h("b", {}, state.me.name), ". Ask for a role on the right; a card appears in the approvers' channel within seconds."],
    [mine.some((request) => request.reviewer_name), "Let ", as("ann", "Ann"), " or ", as("ben", "Ben"), " decide it, or decide it in the portal as ", as("cleo", "Cleo"), ", who has no Slack."],
    [false, "Look at ", h("b", {}, "PIM Approvals"), " under Apps: what became of it, and type ", h("b", {}, "/pim mine"), "."],
  ];
}
