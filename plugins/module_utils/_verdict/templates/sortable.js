// Sorts a table of class sortable by a click on the head of a column; a second click turns the order around.
document.querySelectorAll("table.sortable").forEach(function (table) {
  table.querySelectorAll("thead button").forEach(function (button) {
    button.addEventListener("click", function () {
      var head = button.parentNode, body = table.tBodies[0], at = head.cellIndex;
      var down = head.getAttribute("aria-sort") === "ascending";
      var value = function (row) { var cell = row.cells[at]; return cell.dataset.value || cell.textContent.trim(); };
      var rows = Array.prototype.slice.call(body.rows).sort(function (one, two) {
        return value(one).localeCompare(value(two), "en", { numeric: true }) * (down ? -1 : 1);
      });
      table.querySelectorAll("th").forEach(function (other) { other.removeAttribute("aria-sort"); });
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      rows.forEach(function (row) { body.appendChild(row); });
    });
  });
});
