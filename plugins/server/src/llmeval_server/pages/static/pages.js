// What a reload would show, without the reload: live pages, links and filters that stay in place.
// Everything works without this file; it only fetches pages again and takes over what changed.
(() => {
  "use strict";

  const parser = new DOMParser();
  const lost = document.getElementById("lost");
  let latest = 0; // the newest fetch wins, whatever order the answers come in

  function localTimes(root) {
    const format = new Intl.DateTimeFormat(document.documentElement.lang, {
      month: "short", day: "numeric", hour: "2-digit", minute: "2-digit",
    });
    for (const time of root.querySelectorAll("time[datetime]")) {
      time.title = time.textContent;
      time.textContent = format.format(new Date(time.dateTime));
    }
  }

  async function fetchPage(url) {
    const mine = ++latest;
    const response = await fetch(url, { headers: { Accept: "text/html" } });
    const page = parser.parseFromString(await response.text(), "text/html");
    if (!page.getElementById("main")) throw new Error(`no page at ${url}`);
    localTimes(page);
    return { page, url: response.url, isLatest: mine === latest };
  }

  // Makes one node like another and touches nothing else, so that focus, scroll positions,
  // selections and opened details stay.
  function become(node, wanted) {
    if (node.isEqualNode(wanted)) return;
    const isSameKind = node.nodeType === wanted.nodeType && node.nodeName === wanted.nodeName;
    if (!isSameKind || (node.id || "") !== (wanted.id || "")) {
      node.replaceWith(document.importNode(wanted, true));
      return;
    }
    if (node.nodeType !== Node.ELEMENT_NODE) {
      node.nodeValue = wanted.nodeValue;
      return;
    }
    for (const { name } of [...node.attributes]) {
      if (!wanted.hasAttribute(name) && name !== "open") node.removeAttribute(name);
    }
    for (const { name, value } of wanted.attributes) {
      if (node.getAttribute(name) !== value) node.setAttribute(name, value);
    }
    if (node instanceof HTMLInputElement && node !== document.activeElement) {
      node.checked = wanted.hasAttribute("checked");
      node.value = wanted.getAttribute("value") || "";
    }
    const nodes = [...node.childNodes];
    const wantedNodes = [...wanted.childNodes];
    wantedNodes.forEach((child, place) => {
      if (place < nodes.length) become(nodes[place], child);
      else node.append(document.importNode(child, true));
    });
    for (const child of nodes.slice(wantedNodes.length)) child.remove();
    if (node instanceof HTMLSelectElement) {
      node.selectedIndex = [...node.options].findIndex((one) => one.defaultSelected);
      if (node.selectedIndex < 0) node.selectedIndex = 0;
    }
  }

  function takeOver(page) {
    const ends = [...document.querySelectorAll("[data-tail]")].filter(isAtEnd);
    become(document.getElementById("main"), page.getElementById("main"));
    become(document.querySelector(".top"), page.querySelector(".top"));
    document.title = page.title;
    document.body.dataset.liveMs = page.body.dataset.liveMs || "";
    ends.forEach(scrollToEnd);
  }

  const isAtEnd = (log) => log.scrollTop + log.clientHeight > log.scrollHeight - 30;
  const scrollToEnd = (log) => { log.scrollTop = log.scrollHeight; };

  async function go(url, { push, toTop }) {
    try {
      const { page, url: reached, isLatest } = await fetchPage(url);
      if (!isLatest) return;
      takeOver(page);
      if (push) history.pushState(null, "", reached);
      if (toTop) window.scrollTo(0, 0);
    } catch {
      location.assign(url); // the browser says best what is wrong
    }
  }

  document.addEventListener("click", (event) => {
    const link = event.target.closest("a[data-smooth]");
    const isPlain = event.button === 0 && !(event.metaKey || event.ctrlKey || event.shiftKey);
    if (!link || !isPlain) return;
    event.preventDefault();
    go(link.href, { push: true, toTop: link.dataset.smooth === "top" });
  });

  // A form's properties can be hidden by fields of the same name ("dataset"); attributes cannot.
  document.addEventListener("change", (event) => {
    const form = event.target.form;
    if (form && form.hasAttribute("data-auto")) form.requestSubmit();
  });

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (!form.hasAttribute("data-auto")) return;
    event.preventDefault();
    const filled = [...new FormData(form)].filter(([, value]) => value !== "");
    go(`${form.getAttribute("action")}?${new URLSearchParams(filled)}`, { push: true });
  });

  window.addEventListener("popstate", () => go(location.href, { push: false }));

  async function live() {
    const pause = Number(document.body.dataset.liveMs);
    let wait = pause || 1000;
    if (pause && !document.hidden) {
      try {
        const { page, isLatest } = await fetchPage(location.href);
        if (isLatest) takeOver(page);
        lost.hidden = true;
      } catch {
        lost.hidden = false;
        wait = 3000;
      }
    }
    setTimeout(live, wait);
  }

  document.documentElement.classList.add("scripted");
  localTimes(document);
  document.querySelectorAll("[data-tail]").forEach(scrollToEnd);
  setTimeout(live, Number(document.body.dataset.liveMs) || 1000);
})();
