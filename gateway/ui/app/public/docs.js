// Show openapi.json to people: each operation with its parameters, body and answers, then the schemas.

/** Make an element: its class after a dot, then attributes, then children (text or elements). */
function make(name, attributes = {}, ...children) {
  const [tag, ...classes] = name.split(".");
  const element = document.createElement(tag);
  element.className = classes.join(" ");
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  element.append(...children.filter((child) => child !== null));
  return element;
}

/** Follow a reference inside *description*; anything else is itself. */
function resolved(description, part) {
  if (!part.$ref) return part;
  return part.$ref.split("/").slice(1).reduce((at, word) => at[word], description);
}

/** Say in a few words what *schema* allows; a named one is a link. */
function shape(schema) {
  if (schema.$ref) {
    const name = schema.$ref.split("/").at(-1);
    return [make("a", { href: `#schema-${name}` }, name)];
  }
  const parts = schema.oneOf ?? schema.anyOf ?? schema.allOf;
  if (parts) return parts.flatMap((part, at) => (at ? [schema.allOf ? " with " : " or ", ...shape(part)] : shape(part)));
  if (schema.items) return ["list of ", ...shape(schema.items), bounds(schema)];
  if (schema.enum) return [schema.enum.map((value) => JSON.stringify(value)).join(", ")];
  if ("const" in schema) return [JSON.stringify(schema.const)];
  return [[schema.type ?? "anything"].flat().join(" or "), bounds(schema)];
}

function bounds(schema) {
  const said = [];
  const range = [];
  if (schema.minimum !== undefined) range.push(`from ${schema.minimum}`);
  if (schema.maximum !== undefined) range.push(`to ${schema.maximum}`);
  if (range.length) said.push(range.join(" "));
  if (schema.maxItems !== undefined) said.push(`at most ${schema.maxItems}`);
  if (schema.maxLength !== undefined) said.push(`at most ${schema.maxLength} characters`);
  if (schema.format) said.push(schema.format);
  if (schema.default !== undefined) said.push(`${JSON.stringify(schema.default)} unless told otherwise`);
  return said.length ? ` (${said.join(", ")})` : "";
}

function row(first, ...cells) {
  return make("tr", {}, make("td", {}, make("code", {}, first)), ...cells.map((cell) => make("td", {}, ...[cell].flat())));
}

function table(caption, rows) {
  return rows.length ? make("table", {}, make("thead", {}, make("tr", {}, make("th", { colspan: "3" }, caption))), make("tbody", {}, ...rows)) : null;
}

function contents(part) {
  const kinds = Object.entries(part.content ?? {});
  return kinds.flatMap(([kind, { schema }], at) => [at ? ", " : "", make("code", {}, kind), " ", ...shape(schema)]);
}

function operation(description, path, method, entry, shared) {
  const parameters = [...shared, ...(entry.parameters ?? [])].map((part) => resolved(description, part));
  const body = entry.requestBody ? [row("body", entry.requestBody.description ?? "", contents(entry.requestBody))] : [];
  const answers = Object.entries(entry.responses).map(([status, part]) => [status, resolved(description, part)]);
  return make(
    "section.operation", { id: entry.operationId },
    make("h3", {}, make(`span.method.${method}`, {}, method.toUpperCase()), " ", path),
    make("p", {}, `${entry.summary}.`),
    entry["x-scope"] ? make("p.scope", {}, `Where people sign in: a token with the scope ${entry["x-scope"]}${entry.security.some((one) => one.share) ? ", or a share link" : ""}.`) : null,
    table("Takes", [...parameters.map((part) => row(`${part.name}${part.in === "query" ? "" : ` (${part.in})`}`, part.description ?? "", shape(part.schema))), ...body]),
    table("Answers", answers.map(([status, part]) => row(status, part.description, contents(part)))),
  );
}

function operations(description) {
  return Object.entries(description.paths).flatMap(([path, { parameters = [], ...methods }]) =>
    Object.entries(methods).map(([method, entry]) => ({ path, method, entry, parameters })));
}

function show(description) {
  const found = operations(description);
  const main = document.querySelector("main");
  const nav = document.querySelector("nav");
  document.querySelector(".about").textContent = description.info.description;
  main.replaceChildren();
  for (const tag of description.tags) {
    const mine = found.filter(({ entry }) => entry.tags.includes(tag.name));
    nav.append(make("h2", {}, tag.name), ...mine.map(({ path, method, entry }) =>
      make("a", { href: `#${entry.operationId}` }, `${method.toUpperCase()} ${path}`)));
    main.append(make("h2", {}, tag.name), make("p.note", {}, tag.description), ...mine.map(({ path, method, entry, parameters }) =>
      operation(description, path, method, entry, parameters)));
  }
  main.append(make("h2", {}, "schemas"));
  for (const [name, schema] of Object.entries(description.components.schemas)) {
    main.append(make("section.schema", { id: `schema-${name}` }, make("h3", {}, name), make("p", {}, schema.description ?? ""),
      make("details", {}, make("summary", {}, "JSON Schema"), make("pre", {}, JSON.stringify(schema, null, 2)))));
  }
  if (location.hash) document.getElementById(location.hash.slice(1))?.scrollIntoView();
}

try {
  const answer = await fetch("openapi.json");
  if (!answer.ok) throw new Error(`openapi.json was answered ${answer.status}`);
  show(await answer.json());
} catch (error) {
  document.querySelector("main").replaceChildren(make("p.state.failed", { role: "alert" }, `The description cannot be shown: ${error.message}`));
}
