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

  // What is missing comes last, whichever way.
  const compare = (a, b, sign) => {
    if (a === null || b === null) return (a === null) - (b === null);
    return sign * (typeof a === "string" ? a.localeCompare(b, undefined, { numeric: true }) : a - b);
  };

  const sort = (table, head) => {
    const isWords = head.classList.contains("words");
    const isUp = head.getAttribute("aria-sort") === "descending" ||
      (isWords && !head.hasAttribute("aria-sort"));
    const key = (row) => {
      const text = row.cells[head.cellIndex].textContent.trim();
      if (text === "–" || text === "") return null;
      return isWords ? text : number(text);
    };
    const body = table.tBodies[0];
    const keyed = [...body.rows].map((row) => [key(row), row]);
    keyed.sort(([a], [b]) => compare(a, b, isUp ? 1 : -1));
    body.append(...keyed.map(([, row]) => row));
    for (const other of head.parentElement.cells) other.removeAttribute("aria-sort");
    head.setAttribute("aria-sort", isUp ? "ascending" : "descending");
  };

  for (const table of document.querySelectorAll("table")) {
    if (!table.tHead || table.tBodies[0].rows.length < 2) continue;
    for (const head of table.tHead.rows[0].cells) {
      const button = document.createElement("button");
      button.type = "button";
      button.append(...head.childNodes);
      head.append(button);
      button.addEventListener("click", () => sort(table, head));
    }
  }

  for (const block of document.querySelectorAll("pre")) {
    if (!navigator.clipboard) break;
    const button = document.createElement("button");
    button.type = "button";
    button.className = "copy";
    button.textContent = "Copy";
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(block.textContent);
      button.textContent = "Copied";
    });
    block.before(button);
  }
})();
