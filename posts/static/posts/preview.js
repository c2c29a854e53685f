// While you write: ask once a second whether this page would look different now, and load it again.
(function () {
  var known = null;
  function look() {
    fetch(location.href, { method: "HEAD", cache: "no-store" })
      .then(function (answer) {
        var etag = answer.headers.get("ETag") || String(answer.status);
        if (known !== null && etag !== known) location.reload();
        known = etag;
      })
      .catch(function () { /* the preview is not running just now */ })
      .finally(function () { setTimeout(look, 700); });
  }
  look();
})();
