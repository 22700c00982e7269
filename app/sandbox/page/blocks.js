// Block Kit as DOM nodes, and back: what inputs hold. Every element is a real control, so a keyboard reaches it.
//
// `view` tells where the blocks stand: {at, names, people, errors, act(action) -> Promise}.

import { PARTS, h, link, mrkdwn, richText, textObject } from "./text.js";

const BLOCKS = {
  header: (block) => h("h3", { class: "b-header" }, textObject(block.text)),
  divider: () => h("hr"),
  section,
  context: (block, view) => h("div", { class: "b-context" }, block.elements.map((element) => contextPart(element, view))),
  actions: (block, view) => h("div", { class: "b-actions" }, block.elements.map((element) => control(element, block, view))),
  image: (block) => h("figure", {}, picture(block), block.title && h("figcaption", {}, textObject(block.title))),
  input,
  rich_text: (block, view) => h("div", { class: "b-rich" }, richText(block.elements, view.names)),
  alert: (block, view) => h("p", { class: `b-alert ${block.level ?? "default"}`, role: "status" }, textObject(block.text, view.names)),
  markdown: (block) => h("p", { class: "plain" }, block.text),
};

/** The blocks, drawn; a type the page does not know is named instead. */
export function blocks(list, view) {
  return list.map((block) => BLOCKS[block.type]?.(block, view) ?? h("p", { class: "small unknown" }, `(a ${block.type} block)`));
}

/** A message's text where it has no blocks. */
export const words = (text, view) => h("div", { class: "b-text" }, mrkdwn(text, view.names));

/** What the inputs below `root` hold, by block_id. */
export function typed(root) {
  const values = {};
  for (const field of root.querySelectorAll("[data-block]")) {
    const parts = [...field.querySelectorAll("input, textarea, select")];
    if (parts.length) values[field.dataset.block] = valueOf(parts);
  }
  return values;
}

/** Puts values from `typed` back into redrawn inputs that still exist. */
export function retype(root, values) {
  for (const field of root.querySelectorAll("[data-block]")) {
    const value = values[field.dataset.block];
    if (value === undefined) continue;
    for (const part of field.querySelectorAll("input, textarea, select")) setValue(part, value);
  }
}

function valueOf(parts) {
  const [first] = parts;
  if (first.type === "checkbox") return parts.filter((part) => part.checked).map((part) => part.value);
  if (first.type === "radio") return parts.find((part) => part.checked)?.value ?? "";
  if (first.multiple) return [...first.selectedOptions].map((option) => option.value);
  return first.value;
}

function setValue(part, value) {
  if (part.type === "checkbox" || part.type === "radio") part.checked = [value].flat().includes(part.value);
  else if (part.multiple) for (const option of part.options) option.selected = value.includes(option.value);
  else part.value = value;
}

function section(block, view) {
  const fields = block.fields?.map((field) => h("div", { class: "field" }, textObject(field, view.names)));
  const accessory = block.accessory && (block.accessory.type === "image" ? picture(block.accessory) : control(block.accessory, block, view));
  return h("div", { class: "b-section" },
    h("div", { class: "b-words" }, block.text && h("div", {}, textObject(block.text, view.names)), fields && h("div", { class: "fields" }, fields)),
    accessory && h("div", { class: "accessory" }, accessory));
}

function contextPart(element, view) {
  return element.type === "image" ? picture(element) : h("span", {}, textObject(element, view.names));
}

// Pictures from other machines are not loaded: their description stands for them.
function picture(block) {
  const isOurs = block.image_url?.startsWith(`${location.origin}/`) || block.image_url?.startsWith("data:image/");
  return isOurs ? h("img", { src: block.image_url, alt: block.alt_text }) : h("span", { class: "no-picture", role: "img" }, block.alt_text);
}

function input(block, view) {
  const id = `in-${block.block_id}`;
  const error = view.errors?.[block.block_id];
  const isGroup = ["radio_buttons", "checkboxes"].includes(block.element.type);
  const told = [error && `${id}-error`, block.hint && `${id}-hint`].filter(Boolean).join(" ") || null;
  const label = [textObject(block.label), block.optional && h("span", { class: "optional" }, " (optional)")];
  const part = control(block.element, block, { ...view, act: block.dispatch_action ? view.act : null }, { id, told, error });
  return h(isGroup ? "fieldset" : "div", { class: error ? "b-input wrong" : "b-input", "data-block": block.block_id },
    isGroup ? h("legend", {}, label) : h("label", { for: id }, label),
    part,
    error && h("p", { class: "error", id: `${id}-error` }, "⚠ ", error),
    block.hint && h("p", { class: "hint", id: `${id}-hint` }, textObject(block.hint)));
}

function control(element, block, view, field = {}) {
  const draw = CONTROLS[element.type];
  return draw ? draw(element, block, view, field) : h("span", { class: "small unknown" }, `(a ${element.type})`);
}

// Each card has the same ids as the next one; only with its place does a key name one control of the page.
const key = (element, block, view) => `${view.at}/${block.block_id}/${element.action_id}`;
const hint = (element, fallback) => element.placeholder?.text ?? fallback;

/** Sends one action; the control rests until the bot has answered. */
async function act(node, element, block, view, value) {
  if (!view.act) return;
  node.setAttribute("aria-busy", "true");
  await view.act({ action_id: element.action_id, block_id: block.block_id, value }, element);
  node.removeAttribute("aria-busy");
}

function button(element, block, view) {
  const props = { class: `button ${element.style ?? ""}`, "aria-label": element.accessibility_label, "data-key": key(element, block, view) };
  const press = async (event) => {
    const node = event.currentTarget;
    if (node.getAttribute("aria-busy")) return;
    if (element.confirm && !(await view.confirm(element.confirm))) return;
    await act(node, element, block, view);
  };
  if (!element.url) return h("button", { ...props, type: "button", onclick: press }, textObject(element.text));
  const anchor = link(element.url, textObject(element.text));
  for (const [name, value] of Object.entries(props)) if (value) anchor.setAttribute(name, value);
  anchor.addEventListener("click", press);
  return anchor;
}

function optionsOf(element) {
  return element.options ?? element.option_groups?.flatMap((group) => group.options) ?? [];
}

function menu(options, chosen, element, block, view, field) {
  const isMany = element.type.startsWith("multi_");
  const items = options.map(([value, text]) => h("option", { value, selected: chosen.includes(value) }, text));
  const empty = isMany ? [] : [h("option", { value: "" }, hint(element, "Choose an option"))];
  const change = (event) => event.currentTarget.value && act(event.currentTarget, element, block, view, event.currentTarget.value);
  return h("select", {
    id: field.id, multiple: isMany, "aria-label": field.id ? null : hint(element, "Choose an option"), "data-key": key(element, block, view),
    "aria-describedby": field.told, "aria-invalid": field.error ? "true" : null, onchange: change,
  }, empty, items);
}

function select(element, block, view, field) {
  const chosen = [element.initial_option ?? [], element.initial_options ?? []].flat().map((option) => option.value);
  const drawn = menu(optionsOf(element).map((option) => [option.value, option.text.text]), chosen, element, block, view, field);
  return inSection(block, drawn);
}

function people(element, block, view, field) {
  const chosen = [element.initial_user ?? [], element.initial_users ?? []].flat();
  return inSection(block, menu(Object.entries(view.names), chosen, element, block, view, field));
}

// Outside an input block a menu still is part of a modal's state.
const inSection = (block, node) => (block.type === "section" ? h("span", { "data-block": block.block_id }, node) : node);

function overflow(element, block, view) {
  const items = element.options.map((option) => (option.url
    ? link(option.url, option.text.text)
    : h("button", { type: "button", onclick: (event) => act(event.currentTarget, element, block, view, option.value) }, option.text.text)));
  const shut = (event) => { event.currentTarget.parentNode.open = false; };
  return h("details", { class: "overflow" }, h("summary", { "aria-label": "More actions", "data-key": key(element, block, view) }, "⋯"), h("div", { onclick: shut }, items));
}

function ticks(element, block, view, field) {
  const type = element.type === "checkboxes" ? "checkbox" : "radio";
  const chosen = [element.initial_option ?? [], element.initial_options ?? []].flat().map((option) => option.value);
  const name = key(element, block, view);
  const change = (event) => act(event.currentTarget, element, block, view,
    [...event.currentTarget.closest(".ticks").querySelectorAll(":checked")].map((part) => part.value).join(","));
  return h("div", { class: "ticks", "aria-describedby": field.told }, element.options.map((option) => h("label", {},
    h("input", { type, name, value: option.value, checked: chosen.includes(option.value), "data-key": `${name}/${option.value}`, onchange: change }),
    h("span", {}, textObject(option.text, view.names), option.description && h("small", {}, textObject(option.description, view.names))))));
}

function line(type) {
  return (element, block, view, field) => {
    const props = {
      id: field.id, placeholder: element.placeholder?.text, "data-key": key(element, block, view), maxlength: element.max_length,
      "aria-describedby": field.told, "aria-invalid": field.error ? "true" : null,
      "aria-label": field.id ? null : hint(element, "Enter a value"),
      onchange: type === "text" ? null : (event) => act(event.currentTarget, element, block, view, event.currentTarget.value),
    };
    const first = element.initial_value ?? element.initial_date ?? element.initial_time ?? "";
    if (element.multiline) return h("textarea", { ...props, rows: 4 }, first);
    return h("input", { ...props, type, value: first });
  };
}

const CONTROLS = {
  button, overflow, static_select: select, multi_static_select: select, external_select: select, users_select: people,
  multi_users_select: people, checkboxes: ticks, radio_buttons: ticks, plain_text_input: line("text"), email_text_input: line("email"),
  url_text_input: line("url"), number_input: line("number"), datepicker: line("date"), timepicker: line("time"),
};

/** What can be drawn, for the test that holds it against what the bot sends. */
export const KNOWN = { blocks: Object.keys(BLOCKS), elements: Object.keys(CONTROLS), text: [...PARTS, "plain_text", "mrkdwn"] };
