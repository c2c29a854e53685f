"use strict";

// Keeps the page of a deploy that goes on up to date. Without it the page reloads itself.
(function () {
  const live = document.getElementById("dh-live");
  if (!live || !live.querySelector("[data-unfinished]")) {
    return;
  }
  const INTERVAL = 1000;
  const LONGEST_INTERVAL = 15000;
  const sources = new Map(); // of the parts, as the server last sent them
  let interval = INTERVAL;

  // What already stood there is left alone, so that a selection in it and what somebody opened,
  // closed or scrolled stays as it is.
  function update(shown, fresh) {
    const known = new Map(Array.from(shown.children, (child) => [child.dataset.key, child]));
    const wanted = Array.from(fresh.children);
    const keys = new Set(wanted.map((child) => child.dataset.key));
    known.forEach((child, key) => keys.has(key) || child.remove());
    wanted.forEach((child, place) => {
      const key = child.dataset.key;
      const old = known.get(key);
      if (old && old.classList.contains("dh-steps")) {
        update(old, child);
        return;
      }
      const source = child.outerHTML;
      if (!old) {
        shown.insertBefore(child, shown.children[place] || null);
      } else if (sources.get(key) !== source) {
        replace(old, child);
      }
      sources.set(key, source);
    });
  }

  function replace(old, child) {
    const oldOutput = old.querySelector("pre");
    const isFollowed =
      !oldOutput || oldOutput.scrollHeight - oldOutput.scrollTop - oldOutput.clientHeight < 20;
    const oldTop = oldOutput ? oldOutput.scrollTop : 0;
    const oldDetails = old.querySelector("details");
    const details = child.querySelector("details");
    if (details && oldDetails && old.className === child.className) {
      details.open = oldDetails.open;
    }
    old.replaceWith(child);
    const output = child.querySelector("pre");
    if (output) {
      output.scrollTop = isFollowed ? output.scrollHeight : oldTop;
    }
  }

  async function look() {
    try {
      const answer = await fetch(live.dataset.url, { redirect: "error" });
      if (!answer.ok) {
        throw new Error(answer.status);
      }
      const fresh = document.createElement("div");
      fresh.innerHTML = await answer.text();
      update(live, fresh);
      interval = INTERVAL;
    } catch (error) {
      // The workers are being changed, or the network is away: ask again, less often.
      interval = Math.min(interval * 2, LONGEST_INTERVAL);
    }
    if (live.querySelector("[data-unfinished]")) {
      setTimeout(look, interval);
    } else {
      location.reload(); // for the buttons that a finished deploy has
    }
  }

  setTimeout(look, interval);
})();
