import { Family } from "./family.js";

export class Mineral {
  constructor(name, family) {
    if (!Family.isFamily(family)) throw new TypeError(`${name} has no family`);
    this.name = name;
    this.family = family;
  }

  describe() {
    const siblings = this.family.members.length - 1;
    return siblings ? this.name : `${this.name}, on its own here`;
  }
}
