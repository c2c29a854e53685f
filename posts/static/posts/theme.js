// Light or dark: the reader's system decides until the switch is used, which is remembered.
(function () {
  var root = document.documentElement;
  var asked = null;
  try { asked = localStorage.getItem("theme"); } catch (error) { /* no storage: the system decides */ }
  if (asked === "light" || asked === "dark") root.dataset.theme = asked;

  function isDark() {
    if (root.dataset.theme) return root.dataset.theme === "dark";
    return matchMedia("(prefers-color-scheme: dark)").matches;
  }

  document.addEventListener("DOMContentLoaded", function () {
    var button = document.getElementById("site-theme");
    if (!button) return;
    function show() { button.setAttribute("aria-pressed", String(isDark())); }
    button.hidden = false;
    button.addEventListener("click", function () {
      root.dataset.theme = isDark() ? "light" : "dark";
      try { localStorage.setItem("theme", root.dataset.theme); } catch (error) { /* not remembered */ }
      show();
    });
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", show);
    show();
  });
})();
