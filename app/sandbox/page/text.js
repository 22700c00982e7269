// Slack's text as DOM nodes: mrkdwn, plain text, rich text and dates. Text enters by textContent only, never as HTML.

const EMOJI = {
  arrow_right: "➡️", bell: "🔔", bust_in_silhouette: "👤", eyes: "👀", hourglass: "⌛", hourglass_flowing_sand: "⏳",
  information_source: "ℹ️", key: "🔑", large_blue_circle: "🔵", large_green_circle: "🟢", large_orange_circle: "🟠",
  large_yellow_circle: "🟡", link: "🔗", lock: "🔒", memo: "📝", no_entry: "⛔", red_circle: "🔴", rotating_light: "🚨",
  shield: "🛡️", tada: "🎉", ticket: "🎫", unlock: "🔓", warning: "⚠️", wave: "👋", white_check_mark: "✅", x: "❌",
};

// One alternative each: code, <token>, *bold*, _italic_, ~strike~, bare address, :emoji:.
const marked = (sign) => `(?<![\\p{L}\\p{N}${sign}])${sign}(?!\\s)([^${sign}\\n]+?)(?<!\\s)${sign}(?![\\p{L}\\p{N}${sign}])`;
const INLINE = new RegExp(
  ["`([^`\\n]+)`", "<([^<>]+)>", marked("\\*"), marked("_"), marked("~"), "(https?:\\/\\/[^\\s<>|]+)", ":([a-z0-9_+'-]+):"].join("|"),
  "gu",
);

/** Makes an element; a property that is null or false is left out, `on…` adds a listener. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === false || value === null || value === undefined) continue;
    if (name.startsWith("on")) node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return node;
}

/** A text object of Block Kit, by its type. */
export function textObject(text, names) {
  if (!text) return "";
  return text.type === "mrkdwn" ? mrkdwn(text.text, names) : h("span", { class: "plain" }, emoji(text.text));
}

/** mrkdwn with fences, quotes and inline marks; `names` tells what <@U…> and <#C…> are called. */
export function mrkdwn(text, names) {
  return text.split(/```\n?([\s\S]+?)```/).map((part, index) => {
    if (index % 2) return h("pre", {}, decode(part));
    return quoteRuns(part).map(([isQuote, lines]) => {
      const inside = lines.flatMap((line, n) => (n ? [h("br"), ...inline(line, names)] : inline(line, names)));
      return isQuote ? h("blockquote", {}, inside) : inside;
    });
  }).flat(Infinity);
}

function quoteRuns(text) {
  const runs = [];
  for (const line of text.split("\n")) {
    const isQuote = /^(&gt;|>)/.test(line);
    const words = isQuote ? line.replace(/^(&gt;|>)\s?/, "") : line;
    if (runs.length && runs.at(-1)[0] === isQuote) runs.at(-1)[1].push(words);
    else runs.push([isQuote, [words]]);
  }
  return runs;
}

function inline(text, names) {
  const nodes = [];
  let end = 0;
  for (const found of text.matchAll(INLINE)) {
    nodes.push(decode(text.slice(end, found.index)), inlineNode(found, names));
    end = found.index + found[0].length;
  }
  return [...nodes, decode(text.slice(end))];
}

function inlineNode([whole, code, token, bold, italic, strike, address, name], names) {
  if (code) return h("code", {}, decode(code));
  if (token) return tokenNode(token, names) ?? decode(whole);
  if (bold) return h("b", {}, inline(bold, names));
  if (italic) return h("i", {}, inline(italic, names));
  if (strike) return h("s", {}, inline(strike, names));
  if (address) return link(decode(address), decode(address));
  return EMOJI[name] ?? whole;
}

function tokenNode(token, names) {
  const [target, label] = token.split("|", 2);
  if (target.startsWith("@")) return mention(`@${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target.startsWith("#")) return mention(`#${names[target.slice(1)] ?? label ?? target.slice(1)}`);
  if (target.startsWith("!date^")) return dateNode(target.slice(6).split("^"), decode(label ?? ""));
  if (target.startsWith("!")) return mention(`@${label ?? target.slice(1).split("^")[0]}`, true);
  return link(decode(target), decode(label ?? target));
}

const mention = (text, isLoud = false) => h("span", { class: isLoud ? "mention loud" : "mention" }, decode(text));

/** A link that opens in a new tab, but for links to messages; addresses other than http(s) and mailto stay text. */
export function link(address, label) {
  const [, message] = address.match(/^(?:https:\/\/contoso\.slack\.com|http:\/\/127\.0\.0\.1:\d+)(\/archives\/\w+\/p\d+)/) ?? [];
  if (message) return h("a", { href: `${message}?user=${document.body.dataset.user}` }, label);
  if (!/^(https?:|mailto:)/i.test(address)) return h("span", {}, label);
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, label);
}

function dateNode([stamp, format, address], fallback) {
  const seconds = Number(stamp);
  if (!Number.isInteger(seconds)) return fallback;
  const node = h("time", { datetime: new Date(seconds * 1000).toISOString(), title: fallback }, dateText(seconds, format));
  return address ? link(address, node) : node;
}

/** A date as the viewer's own clock and language have it, by Slack's format words. */
export function dateText(seconds, format) {
  const at = new Date(seconds * 1000);
  const day = (style) => at.toLocaleDateString(undefined, style);
  const short = day({ year: "numeric", month: "short", day: "numeric" });
  const plain = day({ year: "numeric", month: "long", day: "numeric" });
  const long = day({ weekday: "long", year: "numeric", month: "long", day: "numeric" });
  const words = {
    date_num: at.toLocaleDateString("sv-SE"), date: plain, date_short: short, date_long: long,
    date_slash: day({}), date_pretty: near(at) ?? plain, date_short_pretty: near(at) ?? short, date_long_pretty: near(at) ?? long,
    time: at.toLocaleTimeString(undefined, { hour: "numeric", minute: "2-digit" }),
    time_secs: at.toLocaleTimeString(), ago: ago(seconds),
  };
  return format.replace(/\{(\w+)\}/g, (whole, name) => words[name] ?? whole);
}

function near(at) {
  const midnight = (date) => new Date(date).setHours(0, 0, 0, 0);
  const days = Math.round((midnight(at) - midnight(Date.now())) / 86_400_000);
  return { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[days];
}

function ago(seconds) {
  const span = seconds - Date.now() / 1000;
  const [size, unit] = [[86_400, "day"], [3600, "hour"], [60, "minute"], [1, "second"]].find(([size]) => Math.abs(span) >= size) ?? [1, "second"];
  return new Intl.RelativeTimeFormat(undefined, { numeric: "auto" }).format(Math.round(span / size), unit);
}

const decode = (text) => text.replaceAll("&lt;", "<").replaceAll("&gt;", ">").replaceAll("&amp;", "&");
const emoji = (text) => text.replace(/:([a-z0-9_+'-]+):/g, (whole, name) => EMOJI[name] ?? whole);

/** The parts of a rich_text block. */
export function richText(parts, names) {
  return parts.map((part) => {
    const run = (elements) => elements.map((element) => leaf(element, names));
    if (part.type === "rich_text_quote") return h("blockquote", {}, run(part.elements));
    if (part.type === "rich_text_preformatted") return h("pre", {}, run(part.elements));
    if (part.type !== "rich_text_list") return h("div", { class: "run" }, run(part.elements));
    const items = part.elements.map((item) => h("li", {}, run(item.elements)));
    return h(part.style === "ordered" ? "ol" : "ul", { "data-indent": part.indent ?? 0, start: part.offset ? part.offset + 1 : null }, items);
  });
}

const LEAVES = {
  text: (element) => element.text,
  link: (element) => link(element.url, element.text || element.url),
  user: (element, names) => mention(`@${names[element.user_id] ?? element.user_id}`),
  channel: (element, names) => mention(`#${names[element.channel_id] ?? element.channel_id}`),
  usergroup: (element) => mention(`@${element.usergroup_id}`),
  broadcast: (element) => mention(`@${element.range}`, true),
  emoji: (element) => EMOJI[element.name] ?? `:${element.name}:`,
  date: (element) => dateNode([element.timestamp, element.format, element.url], element.fallback ?? ""),
  color: (element) => element.value,
};
export const PARTS = [...Object.keys(LEAVES), "rich_text_section", "rich_text_quote", "rich_text_preformatted", "rich_text_list"];

function leaf(element, names) {
  const plain = LEAVES[element.type]?.(element, names) ?? "";
  const tags = { bold: "b", italic: "i", strike: "s", code: "code", underline: "u", highlight: "mark" };
  return Object.entries(tags).reduce((node, [style, tag]) => (element.style?.[style] ? h(tag, {}, node) : node), plain);
}
