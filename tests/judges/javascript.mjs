// Reads a JSON array of {path, minified, goals} and prints a line of JSON for each: what acorn and es-module-lexer find in the file,
// and whether the minified text (a path, or null) has the same syntax tree. Offsets are UTF-16 code units.
//   node javascript.mjs NODE_MODULES [full]
import { createHash } from "node:crypto";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.argv[2] + "/");
const acorn = await import(pathToFileURL(require.resolve("acorn")));
const { init, parse: parseImports } = await import(pathToFileURL(require.resolve("es-module-lexer")));
await init;
const full = process.argv[3] === "full";

const KINDS = new Map([
  [acorn.tokTypes.string, "string"],
  [acorn.tokTypes.template, "template"],
  [acorn.tokTypes.invalidTemplate, "template"],
  [acorn.tokTypes.regexp, "regexp"],
]);

function parse(text, sourceType, spans) {
  const options = { ecmaVersion: "latest", sourceType, allowHashBang: true, allowReturnOutsideFunction: sourceType === "script" };
  if (spans) {
    options.onComment = (block, value, start, end) => spans.push(["comment", start, end]);
    options.onToken = (token) => {
      const kind = KINDS.get(token.type);
      if (kind) spans.push([kind, token.start, token.end]);
    };
  }
  return acorn.parse(text, options);
}

// The first place at which two trees differ, or null; positions aside. Without recursion: trees are deep.
function difference(left, right) {
  const stack = [[left, right]];
  while (stack.length) {
    const [a, b] = stack.pop();
    if (a === b || (a !== a && b !== b)) continue;
    if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) {
      return `${String(a).slice(0, 80)} / ${String(b).slice(0, 80)}`;
    }
    if (a instanceof RegExp && b instanceof RegExp) {
      if (String(a) !== String(b)) return `${a} / ${b}`;
      continue;
    }
    const keys = Object.keys(a);
    if (keys.length !== Object.keys(b).length) return `${a.type ?? "list"} / ${b.type ?? "list"}`;
    for (const key of keys) {
      if (key !== "start" && key !== "end") stack.push([a[key], b[key]]);
    }
  }
  return null;
}

function imports(text) {
  const found = [];
  for (const { type, specifier, glob, start, end } of parseImports(text)[0]) {
    if (typeof specifier !== "string" || glob) continue;
    found.push(type === "dynamic" ? ["dynamic", start, end] : ["static", start - 1, end + 1]);
  }
  return found;
}

function judge({ path, minified, goals = ["module", "script"] }) {
  const text = readFileSync(path, "utf8").replace(/^\ufeff/, " ");
  const result = { path };
  let tree;
  let spans;
  for (const goal of goals) {
    try {
      spans = [];
      tree = parse(text, goal, spans);
      result.goal = goal;
      break;
    } catch (error) {
      result.error = String(error.message);
    }
  }
  if (!result.goal) return result;
  delete result.error;
  spans.sort((a, b) => a[1] - b[1] || a[2] - b[2]);
  const lines = spans.map((span) => span.join(" ")).join("\n");
  result.spans = full ? lines : createHash("sha1").update(lines).digest("hex");
  try {
    result.imports = imports(text);
  } catch (error) {
    result.imports_error = String(error.message);
  }
  if (minified) {
    try {
      result.difference = difference(tree, parse(readFileSync(minified, "utf8").replace(/^\ufeff/, " "), result.goal));
    } catch (error) {
      result.difference = String(error.message);
    }
  }
  return result;
}

for (const job of JSON.parse(readFileSync(0, "utf8"))) process.stdout.write(JSON.stringify(judge(job)) + "\n");
