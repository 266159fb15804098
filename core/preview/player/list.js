// The list of prompts: search, filters, verdicts, and the verdicts as a table.

const VERDICTS = ["right", "wrong"];

/** Verdicts per prompt and model, in memory only. */
class Verdicts {
  constructor(prompts, models) {
    this.prompts = prompts;
    this.models = models;
    this.given = new Map();
  }

  key(prompt, model) {
    return `${prompt}/${model}`;
  }

  of(prompt, model) {
    return this.given.get(this.key(prompt, model)) || "";
  }

  /** Give a verdict; giving the same again takes it back. */
  give(prompt, model, verdict) {
    const key = this.key(prompt, model);
    if (this.given.get(key) === verdict) this.given.delete(key);
    else this.given.set(key, verdict);
  }

  isOpen(prompt) {
    return this.models.some((_, model) => !this.of(prompt, model));
  }

  counts(model) {
    const all = this.prompts.map((_, prompt) => this.of(prompt, model));
    return Object.fromEntries(VERDICTS.map((v) => [v, all.filter((x) => x === v).length]));
  }

  /** Lines of id, prompt and a column per model, separated by tabs. */
  table() {
    const lines = [["id", "prompt", ...this.models]];
    this.prompts.forEach((prompt, i) => {
      lines.push([prompt.id, prompt.text, ...this.models.map((_, m) => this.of(i, m))]);
    });
    const total = this.models.map((_, m) => `${this.counts(m).right} of ${this.prompts.length} right`);
    lines.push(["total", "", ...total]);
    return lines.map((cells) => cells.join("\t")).join("\n") + "\n";
  }
}

/** Indices of the prompts that hold every searched word and pass the filter. */
function matching(prompts, verdicts, search, filter) {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  return prompts
    .map((prompt, i) => ({ text: `${prompt.id} ${prompt.text}`.toLowerCase(), i }))
    .filter(({ text }) => words.every((word) => text.includes(word)))
    .filter(({ i }) => {
      if (filter === "open") return verdicts.isOpen(i);
      if (filter === "wrong") return verdicts.models.some((_, m) => verdicts.of(i, m) === "wrong");
      return true;
    })
    .map(({ i }) => i);
}

/** An element with a class, text and attributes; text is never read as markup. */
function element(name, className = "", text = "", attributes = {}) {
  const made = document.createElement(name);
  if (className) made.className = className;
  if (text) made.textContent = text;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** One row of the list; `verdicts` are those of its models. */
function promptRow(prompt, models) {
  const item = element("li");
  const button = element("button", "prompt", "", { type: "button" });
  const top = element("span", "prompt-top");
  top.append(element("span", "prompt-id", prompt.id));
  const marks = element("span", "marks");
  for (const model of models) marks.append(element("i", "mark", "", { title: model }));
  top.append(marks);
  button.append(top, element("span", "prompt-text", prompt.text));
  item.append(button);
  return item;
}

function showMarks(row, verdicts, prompt) {
  row.querySelectorAll(".mark").forEach((mark, model) => {
    mark.dataset.verdict = verdicts.of(prompt, model);
    mark.title = `${verdicts.models[model]}: ${verdicts.of(prompt, model) || "no verdict yet"}`;
  });
}

/** Put text on the clipboard; false where the browser does not let us. */
async function copyText(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}
