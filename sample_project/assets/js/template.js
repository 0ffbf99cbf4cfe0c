const SLOT = /\{\{\s*(\w+)\s*\}\}/g;

/** A copy of a template's content in which each {{ name }} in its text is replaced by the value of that name. */
export function fill(template, values) {
  const copy = template.content.cloneNode(true);
  const texts = document.createTreeWalker(copy, NodeFilter.SHOW_TEXT);
  while (texts.nextNode()) {
    texts.currentNode.data = texts.currentNode.data.replace(SLOT, (slot, name) => values[name] ?? slot);
  }
  return copy;
}
