"use strict";
(() => {
  const UNITS = { B: 1, kB: 1e3, MB: 1e6, GB: 1e9, TB: 1e12, s: 1, min: 60, h: 3600 };
  const PARTS = /([+-]?\d[\d,]*\.?\d*)(?:\s?(B|kB|MB|GB|TB|s|min|h)\b)?/g;

  // The figure that a cell begins with, in its unit, as 4 min 5 s; null where there is none.
  const number = (text) => {
    const parts = [...text.matchAll(PARTS)];
    if (!parts.length || parts[0].index !== 0) return null;
    const value = ([, digits, unit]) => Number(digits.replaceAll(",", "")) * (UNITS[unit] ?? 1);
    const later = parts.slice(1).filter(([, , unit]) => parts[0][2] && unit);
    return [parts[0], ...later].reduce((sum, part) => sum + value(part), 0);
  };

  // What is missing comes last, whichever way; words after figures.
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    if (typeof a !== typeof b) return typeof a === "string" ? 1 : -1;
    return sign * (typeof a === "number" ? a - b : a.localeCompare(b, undefined, { numeric: true }));
  };

  // Once, the other way, and at the third click the order that the page has.
  const sort = (table, head, rows) => {
    const isWords = head.classList.contains("words");
    const ways = isWords ? ["ascending", "descending"] : ["descending", "ascending"];
    const way = ways[ways.indexOf(head.getAttribute("aria-sort")) + 1];
    const key = (row) => {
      const text = row.cells[head.cellIndex].textContent.trim();
      if (text === "\u2013" || text === "") return null;
      return isWords ? text : number(text) ?? text;
    };
    const keyed = rows.map((row) => [key(row), row]);
    if (way) keyed.sort(([a], [b]) => compare(a, b, way === "ascending" ? 1 : -1));
    table.tBodies[0].append(...keyed.map(([, row]) => row));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    if (way) head.setAttribute("aria-sort", way);
  };

  for (const table of document.querySelectorAll("table:not(.in-order)")) {
    const rows = [...table.tBodies[0].rows];
    if (!table.tHead || rows.length < 2) continue;
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head, rows));
    }
  }

  // A button that is there only where something can be copied.
  for (const code of document.querySelectorAll(".code")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    const say = (text) => { button.textContent = text; };
    button.type = "button";
    button.className = "copy";
    button.setAttribute("aria-live", "polite");
    button.title = code.dataset.name;
    say("Copy");
    button.addEventListener("click", async () => {
      try {
        await navigator.clipboard.writeText(code.querySelector("pre").textContent);
        say("Copied");
      } catch {
        say("Not allowed here");
      }
      setTimeout(say, 2000, "Copy");
    });
    code.append(button);
  }

  // Only what can be scrolled is a stop for the keyboard.
  const stops = () => {
    for (const box of document.querySelectorAll(".scroll, pre")) {
      box.tabIndex = box.scrollWidth > box.clientWidth ? 0 : -1;
    }
  };
  addEventListener("resize", stops);
  stops();
})();
