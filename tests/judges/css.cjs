// What css-tree says of style sheets. In: [{source: file name, published: text}, …]. Out, for each: a digest of its tokens, its
// tree and the published text's tree where they differ, and its URLs in order.
const { createHash } = require("node:crypto");
const { readFileSync } = require("node:fs");
const { join } = require("node:path");
const cssTree = require(join(process.argv[2], "css-tree"));

// Offsets count code points.
function tokens(text) {
  const astral = /[\u{10000}-\u{10ffff}]/u.test(text);
  let seen = 0, units = 0;
  const found = [];
  cssTree.tokenize(text, (type, start, end) => {
    if (astral) {
      seen += [...text.slice(units, end)].length;
      units = end;
    } else {
      seen = Math.min(end, text.length); // it overshoots where an escape ends a bad URL and the text
    }
    found.push(`${cssTree.tokenNames[type].replace("-token", "")} ${seen}`);
  });
  return found.join("\n");
}

function parse(text) {
  return cssTree.parse(text, { parseCustomProperty: true, parseRulePrelude: true, parseValue: true });
}

// What css-tree keeps unparsed keeps its blanks too; they are put into one form here.
function normalized(tree) {
  cssTree.walk(tree, (node, item, list) => {
    if (node.type === "Raw") {
      node.value = node.value.trim().replace(/\/\*[^]*?\*\//g, " ").replace(/\s+/g, " ").replace(/ ?([,=;{}()>!]) ?/g, "$1").replace(/: /g, ":").replace(/;}/g, "}");
    }
    // `/*! … */` stays in both, others go.
    if (node.type === "Comment" && list) {
      list.remove(item);
    }
  });
  return cssTree.generate(tree);
}

function urls(tree) {
  const found = [];
  cssTree.walk(tree, function (node) {
    if (this.atrule && this.atrule.name.toLowerCase() === "namespace") return;
    const imported = this.atrule && this.atrule.name.toLowerCase() === "import" && node.type === "String" && !this.function;
    const set = node.type === "String" && this.function && /^(-webkit-)?image-set$/i.test(this.function.name);
    if (node.type === "Url" || imported || set) found.push(node.value);
  });
  return found;
}

const answers = JSON.parse(readFileSync(0, "utf8")).map(({ source, published, text }) => {
  const written = source === undefined ? text : readFileSync(source, "utf8");
  if (published === undefined) return { tokens: tokens(written) };
  const tree = parse(written);
  const found = urls(tree);
  const before = normalized(tree), after = normalized(parse(published));
  const at = [...before].findIndex((c, i) => c !== after[i]);
  return {
    tokens: createHash("sha256").update(tokens(written)).digest("hex"),
    difference: before === after ? "" : `${before.slice(at - 60, at + 60)} | ${after.slice(at - 60, at + 60)}`,
    urls: found,
  };
});
process.stdout.write(JSON.stringify(answers));
