"use strict";
(function () {
  function value(row, column) {
    var cell = row.cells[column];
    var key = cell.getAttribute("data-key");
    if (key !== null && key !== "") return [0, Number(key)];
    var text = cell.textContent;
    return text === "" ? [2, ""] : [1, text];
  }
  function sort(table, column, down) {
    var body = table.tBodies[0];
    var rows = Array.from(body.rows).map(function (row) {
      return [value(row, column), row];
    });
    rows.sort(function (a, b) {
      var x = a[0], y = b[0];
      if (x[0] === 2 || y[0] === 2) return x[0] - y[0];
      if (x[0] !== y[0]) return x[0] - y[0];
      var order = x[0] === 0 ? x[1] - y[1] : x[1].localeCompare(y[1]);
      return down ? -order : order;
    });
    body.append.apply(body, rows.map(function (pair) { return pair[1]; }));
  }
  document.querySelectorAll("table[data-sort]").forEach(function (table) {
    var heads = Array.from(table.tHead.rows[0].cells);
    heads.forEach(function (head, column) {
      var button = document.createElement("button");
      button.type = "button";
      button.textContent = head.textContent;
      head.textContent = "";
      head.append(button);
      button.addEventListener("click", function () {
        var was = head.getAttribute("aria-sort");
        var numbers = head.classList.contains("num");
        var down = was === null ? numbers && column > 0 : was === "ascending";
        heads.forEach(function (one) { one.removeAttribute("aria-sort"); });
        head.setAttribute("aria-sort", down ? "descending" : "ascending");
        sort(table, column, down);
      });
    });
  });
  document.querySelectorAll(".tools").forEach(function (tools) {
    var table = document.getElementById(tools.getAttribute("data-for"));
    var input = tools.querySelector("input");
    var select = tools.querySelector("select");
    var said = tools.querySelector("output");
    var rows = Array.from(table.tBodies[0].rows);
    function filter() {
      var wanted = input.value.toLowerCase();
      var status = select ? select.value : "";
      var shown = 0;
      rows.forEach(function (row) {
        var fits = row.textContent.toLowerCase().indexOf(wanted) >= 0;
        if (status) fits = fits && row.getAttribute("data-status") === status;
        row.hidden = !fits;
        if (fits) shown += 1;
      });
      said.textContent = shown + " of " + rows.length + " rows";
    }
    if (select) {
      var seen = new Set(rows.map(function (r) { return r.getAttribute("data-status"); }));
      Array.from(seen).sort().forEach(function (status) {
        if (!status) return;
        var option = document.createElement("option");
        option.value = option.textContent = status;
        select.append(option);
      });
      select.addEventListener("change", filter);
    }
    input.addEventListener("input", filter);
    tools.hidden = false;
    filter();
  });
  window.addEventListener("beforeprint", function () {
    document.querySelectorAll("details.printed").forEach(function (one) { one.open = true; });
  });
})();
