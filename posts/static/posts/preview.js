// While you write: ask once a second whether this page would look different now, and load it again.
(function () {
  var known = null;
  function look(method, cache) {
    fetch(location.href, { method: method, cache: cache })
      .then(function (answer) {
        var etag = answer.headers.get("ETag") || String(answer.status);
        if (known !== null && etag !== known) location.reload();
        known = etag;
      })
      .catch(function () { /* the preview is not running just now */ })
      .finally(function () { setTimeout(function () { look("HEAD", "no-store"); }, 700); });
  }
  // First what the browser has kept: that is what it shows, the site may have changed since.
  look("GET", "force-cache");
})();
