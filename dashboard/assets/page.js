// One script for every page: links within Vigie keep the tab and the visit, what belongs together lights up together,
// `?` lists the keys, a lost server is told in the reader's language, and a browser remembers what it has been told.
(() => {
  if (window.vigie) return;
  window.vigie = true;
  const inside = (target) => {
    const link = target.closest && target.closest("a");
    if (!link) return null;
    const href = typeof link.href === "string" ? link.getAttribute("href") : link.href.baseVal;
    if (!href || href.startsWith("#")) return null;
    const url = new URL(href, document.baseURI);
    const page = new RegExp("^/[a-z_]*$").test(url.pathname) && !link.hasAttribute("download");
    return url.origin === location.origin && page ? url : null;
  };
  document.addEventListener("click", (event) => {
    const seen = event.target.closest && event.target.closest("[class*=st-key-seen-]");
    if (seen) {
      const upto = seen.className.match(/st-key-seen-(\d)/)[1];
      document.cookie = "vigie_seen=" + upto + "; path=/; max-age=63072000; samesite=strict";
    }
    if (event.target.closest && event.target.closest(".st-key-copy-link") && navigator.clipboard) {
      navigator.clipboard.writeText(location.href);
    }
    const url = inside(event.target);
    if (!url || event.ctrlKey || event.metaKey || event.shiftKey || event.button) return;
    // The menu's links too: after Streamlit's own change of page what the page adds to its address is a further step
    // back; after a step in the history, as which this one is told, it takes the place of the address.
    event.preventDefault();
    event.stopPropagation();
    history.pushState({}, "", url.pathname + url.search);
    window.dispatchEvent(new PopStateEvent("popstate"));
    const menu = event.target.closest("[data-testid=stSidebar]");
    if (menu) menu.querySelector("[data-testid=stSidebarCollapseButton] button").click();
    const main = document.querySelector("[data-testid=stMain]");
    if (main) main.scrollTo(0, 0);
  }, true);
  const light = (event) => {
    document.querySelectorAll(".vigie-lit").forEach((one) => one.classList.remove("vigie-lit"));
    const url = inside(event.target);
    const card = event.target.closest && event.target.closest("[class*=st-key-card-]");
    const route = (url && url.searchParams.get("route")) || (card && card.className.match(/st-key-card-(\w+)/)[1]);
    if (!route) return;
    document.querySelectorAll("a").forEach((link) => {
      const other = inside(link);
      if (other && other.searchParams.get("route") === route) (link.closest("tr") || link).classList.add("vigie-lit");
    });
    document.querySelectorAll(".st-key-card-" + route).forEach((one) => one.classList.add("vigie-lit"));
  };
  document.addEventListener("mouseover", light);
  document.addEventListener("focusin", light);
  const keys = () => document.querySelector(".st-key-shortcuts");
  document.addEventListener("keydown", (event) => {
    const typing = event.target.closest && event.target.closest("input, textarea, [contenteditable=true]");
    if (event.key === "Escape" && keys()) keys().classList.remove("vigie-open");
    if (typing || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "?" && keys()) keys().classList.toggle("vigie-open");
    const pages = document.querySelectorAll("[data-testid=stTopNavLink]");
    const place = Number(event.key) - 1;
    if (place >= 0 && place < pages.length) pages[place].click();
  });
  const say = () => {
    const words = document.querySelector(".vigie-words");
    const dialog = document.querySelector("[role=dialog]");
    if (!words || !dialog || dialog.dataset.vigie || !/Streamlit/.test(dialog.textContent)) return;
    dialog.dataset.vigie = "told";
    const body = dialog.querySelector("[data-testid=stDialogContent]") || dialog;
    body.querySelectorAll("pre, code").forEach((one) => one.remove());
    const heading = dialog.querySelector("h2, h1, header");
    const texts = document.createTreeWalker(dialog, NodeFilter.SHOW_TEXT);
    let first = true;
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      if (!/Streamlit|Connection|internet/.test(node.textContent)) continue;
      const title = /^Connection/.test(node.textContent.trim());
      node.textContent = title ? words.dataset.title : first ? words.dataset.lost : "";
      first = first && title;
    }
    if (heading) heading.lang = document.documentElement.lang;
  };
  // What scrolls sideways can be reached and scrolled with the keyboard.
  const reach = () => document.querySelectorAll("[data-testid=stTable] > div").forEach((one) => {
    if (one.scrollWidth > one.clientWidth + 1) one.tabIndex = 0;
    else one.removeAttribute("tabindex");
  });
  // On paper a chart is as wide as the sheet, and a long table no wider: both say here how wide they are on the screen.
  const SHEET = 690;  // a little less than A4 without its margins
  const printing = (is) => {
    document.querySelectorAll(".main-svg").forEach((one) => {
      const size = [one.getAttribute("width"), one.getAttribute("height")];
      one.style.maxWidth = is ? size[0] + "px" : "";
      if (is) one.setAttribute("viewBox", "0 0 " + size.join(" "));
      else one.removeAttribute("viewBox");
    });
    document.querySelectorAll("[data-testid=stDataFrame]").forEach((one) => {
      one.style.zoom = is ? Math.min(1, SHEET / one.offsetWidth) : "";
    });
  };
  window.addEventListener("beforeprint", () => printing(true));
  window.addEventListener("afterprint", () => printing(false));
  let waiting = 0;
  const look = () => { say(); clearTimeout(waiting); waiting = setTimeout(reach, 150); };
  new MutationObserver(look).observe(document.body, { childList: true, subtree: true });
  window.addEventListener("resize", look);
  // A page whose login has ended gets no connection any more: it leads to the door.
  setInterval(() => {
    const app = document.querySelector("[data-test-connection-state]");
    if (!app || app.dataset.testConnectionState === "CONNECTED") return;
    fetch("/media/", { method: "HEAD" }).then((answer) => { if (answer.status === 401) location.reload(); }, () => {});
  }, 5000);
})();
