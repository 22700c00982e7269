// Where people write: messages, and /pim with every command offered as it is typed.

import { h } from "./text.js";

const COMMANDS = [
  ["", "counters, what waits for me, sign-in state"], ["pending", "what waits for a decision"], ["history", "what was decided"],
  ["history export", "the same as a file"], ["mine", "my own requests"], ["approved", "what I decided"],
  ["sign-in", "connect my Microsoft account"], ["sign-out", "disconnect it"], ["settings", "when I am away, reminders, quiet hours"],
  ["help", "all commands"],
];

const byId = (id) => document.getElementById(id);

/** Wires the composer once; `post` sends an act, `toast` says a sentence, `channelNow` tells where one writes. */
export function wireComposer({ post, toast, channelNow }) {
  const input = byId("words");
  const hints = byId("hints");
  const suggest = () => {
    const found = input.value.startsWith("/") ? COMMANDS.filter(([word]) => `/pim ${word}`.startsWith(input.value.trimEnd())) : [];
    hints.hidden = !found.length;
    hints.replaceChildren(h("p", { class: "small" }, "Commands"), ...found.map(([word, about]) => h("button", {
      type: "button", onclick: () => { input.value = `/pim ${word}`.trim(); hints.hidden = true; input.focus(); },
    }, h("b", {}, `/pim ${word}`.trim()), " ", about)));
  };
  input.addEventListener("input", suggest);
  byId("composer").addEventListener("keydown", (event) => {
    const buttons = [...hints.querySelectorAll("button")];
    const here = buttons.indexOf(document.activeElement);
    if (event.key === "Escape") { hints.hidden = true; input.focus(); }
    if (hints.hidden || !["ArrowUp", "ArrowDown"].includes(event.key)) return;
    event.preventDefault();
    const next = event.key === "ArrowDown" ? here + 1 : (here < 0 ? buttons.length : here) - 1;
    (buttons[next] ?? input).focus();
  });
  byId("composer").addEventListener("submit", async (event) => {
    event.preventDefault();
    const text = input.value.trim();
    if (!text) return;
    input.value = "";
    hints.hidden = true;
    byId("messages").scrollTop = byId("messages").scrollHeight; // the answer comes at the end, and a reader at the end stays there
    if (!(await send(text, { post, toast, channelNow }))) input.value = text;
  });
}

async function send(text, { post, toast, channelNow }) {
  const channel = channelNow()?.id;
  const [first, ...rest] = text.split(" ");
  if (first === "/pim") return post("command", { channel, text: rest.join(" ") });
  if (text.startsWith("/")) { toast(`${first} is not a valid command. This workspace knows /pim.`); return false; }
  return post("say", { channel: channel ?? "", text });
}
