/*! Strata, the sample project of assetbuild */
import { Family } from "./model/family.js";
import { fill } from './template.js';

const families = document.querySelector("[data-families]");
if (families) {
  // The address of a data file, fingerprinted like everything else.
  const response = await fetch(new URL("../data/families.json", import.meta.url));
  const template = document.getElementById("family");
  for (const record of await response.json()) {
    const family = new Family(record.name, record.note);
    for (const name of record.members) family.add(name);
    families.append(
      fill(template, {
        name: family.name,
        note: family.note,
        members: family.members.map((mineral) => mineral.describe()).join(", "),
      }),
    );
  }
}

const scale = document.querySelector("[data-scale]");
if (scale) {
  // Only the pages with a scale load the code that draws one.
  const { draw } = await import("./scale.js");
  draw(scale);
}

document.documentElement.dataset.modules = "ready";
