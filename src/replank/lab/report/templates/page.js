// Adds sorting to tables; the page is complete without it.
for (const heading of document.querySelectorAll("th[data-sortable]")) {
  const button = document.createElement("button");
  button.append(...heading.childNodes);
  heading.append(button);
  button.addEventListener("click", () => {
    const ascending = heading.getAttribute("aria-sort") !== "ascending";
    for (const other of heading.parentNode.children) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", ascending ? "ascending" : "descending");
    const key = (row) => {
      const text = row.cells[heading.cellIndex].dataset.key;
      return text === undefined || text === "" || Number.isNaN(Number(text)) ? text : Number(text);
    };
    const body = heading.closest("table").tBodies[0];
    const rows = [...body.rows].sort((first, second) => {
      const [a, b] = [key(first), key(second)];
      if (a === undefined || b === undefined) return (a === undefined) - (b === undefined); // what is missing comes last
      return (a < b ? -1 : a > b ? 1 : 0) * (ascending ? 1 : -1);
    });
    body.append(...rows);
  });
}
