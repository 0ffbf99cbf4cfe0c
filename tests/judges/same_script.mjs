// Reads a JSON array of pairs of scripts and prints a JSON array: for each the first place at which acorn's trees differ, or null.
// Empty statements, such as stand between parts that were joined, say nothing.
//   node same_script.mjs NODE_MODULES
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const require = createRequire(process.argv[2] + "/");
const acorn = await import(pathToFileURL(require.resolve("acorn")));

function parse(text) {
  return acorn.parse(text, { ecmaVersion: "latest", sourceType: "script", allowHashBang: true });
}

function difference(left, right) {
  if (left === right) return null;
  if (typeof left !== "object" || typeof right !== "object" || !left || !right) return `${left} / ${right}`;
  if (Array.isArray(left) && Array.isArray(right)) {
    [left, right] = [left, right].map((list) => list.filter((node) => node?.type !== "EmptyStatement"));
  }
  const keys = Object.keys(left).filter((key) => !["start", "end", "raw"].includes(key));
  if (left.type !== right.type || left.length !== right.length) return `${left.type ?? "list"} / ${right.type ?? "list"}`;
  for (const key of keys) {
    const found = difference(left[key], right[key]);
    if (found) return found;
  }
  return null;
}

const pairs = JSON.parse(readFileSync(0, "utf8"));
console.log(JSON.stringify(pairs.map(([left, right]) => difference(parse(left), parse(right)))));
