// A family makes minerals and a mineral knows its family: the two modules import one another.
import { Mineral } from "./mineral.js";

export class Family {
  members = [];

  constructor(name, note) {
    this.name = name;
    this.note = note;
  }

  add(name) {
    const mineral = new Mineral(name, this);
    this.members.push(mineral);
    return mineral;
  }

  static isFamily(value) {
    return value instanceof Family;
  }
}
