// The hand behind the scenes: fault switches, and every call the bot makes to Microsoft and Slack.

import { dateText, h } from "./text.js";

const byId = (id) => document.getElementById(id);
const isTalk = (call) => call.method !== "GET" || !call.status || call.status >= 400;
let hasReads = false;

/** Draws switches and calls; `post` sends an act, `redraw` replaces what changed. */
export function drawWorkbench(state, { post, redraw }) {
  redraw(byId("faults"), state.faults, () => state.faults.map((fault) => faultSwitch(fault, post)));
  const on = state.faults.filter((fault) => fault.on).length;
  byId("faults-on").textContent = on ? `${on} on` : "";
  const shown = state.calls.filter((call) => hasReads || isTalk(call));
  redraw(byId("calls"), [shown.at(-1)?.n, hasReads], () => (shown.length ? shown.toReversed().map(callLine) : h("li", {}, "Nothing but reading so far.")));
  byId("reads").onchange = (event) => {
    hasReads = event.currentTarget.checked;
    drawWorkbench(state, { post, redraw });
  };
}

function faultSwitch(fault, post) {
  const turn = (event) => post("fault", { switch: fault.name, on: event.currentTarget.checked });
  const id = `fault-${fault.name}`;
  return h("div", { class: "switch" },
    h("input", { id, type: "checkbox", role: "switch", checked: fault.on, "data-key": id, "aria-describedby": `${id}-about`, onchange: turn }),
    h("div", {}, h("label", { for: id }, fault.label), h("small", { id: `${id}-about` }, fault.about)));
}

function callLine(call) {
  const isBad = !call.status || call.status >= 400;
  return h("li", { class: isBad ? "bad" : null },
    h("span", { class: "small" }, dateText(Date.parse(call.at) / 1000, "{time_secs}")), " ", h("span", { class: "service" }, call.service), ` ${call.method} `, call.line, " ",
    h("b", {}, String(call.status ?? "no answer")), call.who && ` as ${call.who}`);
}
