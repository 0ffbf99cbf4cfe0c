// Absolute hardness by sclerometer, talc being 1: the values commonly printed beside Mohs' row.
const STEPS = [
  ["Talc", 1], ["Gypsum", 2], ["Calcite", 14], ["Fluorite", 21], ["Apatite", 48],
  ["Orthoclase", 72], ["Quartz", 100], ["Topaz", 200], ["Corundum", 400], ["Diamond", 1500],
];
const SVG = "http://www.w3.org/2000/svg";

function element(name, attributes, text = "") {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.textContent = text;
  return made;
}

/** Draws the ten steps as columns; heights go by the logarithm, or diamond would leave nothing of the others. */
export function draw(place) {
  const width = 640, height = 260, floor = 206, column = width / STEPS.length;
  const label = STEPS.map(([name, hardness]) => `${name} ${hardness}`).join(", ");
  const picture = element("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": label });
  STEPS.forEach(([name, hardness], index) => {
    const tall = 10 + (Math.log10(hardness) / Math.log10(1500)) * 160;
    const x = index * column + 8, middle = x + (column - 16) / 2;
    picture.append(
      element("rect", { class: `step step-${index + 1}`, x, y: floor - tall, width: column - 16, height: tall, rx: 3 }),
      element("text", { class: "amount", x: middle, y: floor - tall - 8 }, String(hardness)),
      element("text", { class: "rank", x: middle, y: floor + 22 }, String(index + 1)),
      element("text", { class: "name", x: middle, y: floor + 42 }, name),
    );
  });
  place.append(picture);
  // Where the columns do not fit they can be moved, by the arrow keys too; where they do, Tab passes them by.
  new ResizeObserver(() => {
    if (place.scrollWidth > place.clientWidth) place.tabIndex = 0;
    else place.removeAttribute("tabindex");
  }).observe(place);
}
