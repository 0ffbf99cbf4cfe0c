// Live reload: swaps style sheets and images, reloads for the rest, shows what is wrong. Loaded by pages in development only.
(() => {
  "use strict";
  const script = document.currentScript;
  if (!script || window.__assetbuildLive) return;
  window.__assetbuildLive = true;
  const events = script.src.replace("/client.js?", "/events?");
  const base = new URL(script.dataset.base, document.baseURI).href;
  const tried = "assetbuild-reloaded-for";
  let digest = script.dataset.digest;
  let leaving = false;

  const published = (path) => base + path.split("/").map(encodeURIComponent).join("/");
  // One file has several spellings in URLs; decoded they are equal.
  const plain = (url) => {
    try {
      return decodeURIComponent(url.split(/[?#]/)[0]);
    } catch {
      return url;
    }
  };
  const rest = (url) => url.slice(url.split(/[?#]/)[0].length);
  const absolute = (url) => {
    try {
      return new URL(url, document.baseURI).href;
    } catch {
      return url;
    }
  };

  const reload = (target) => {
    // An application that does not read the new manifest renders the old names again: once is enough.
    if (leaving || sessionStorage.getItem(tried) === target) return;
    sessionStorage.setItem(tried, target);
    leaving = true;
    location.reload();
  };

  // Sheets

  const replaces = new WeakMap();
  const swapSheets = (renamed, target) => {
    for (const link of document.querySelectorAll("link[rel~=stylesheet][href]")) {
      const to = renamed.get(plain(link.href));
      if (!to || link.dataset.assetbuildOld) continue;
      const next = link.cloneNode();
      next.removeAttribute("integrity");
      next.href = to + rest(link.href);
      link.dataset.assetbuildOld = "1";
      const old = [link, ...(replaces.get(link) || [])];
      replaces.set(next, old);
      // The old sheet stays until the new one is there, so that the page is never without.
      next.addEventListener("load", () => old.forEach((one) => one.remove()));
      next.addEventListener("error", () => reload(target));
      link.after(next);
    }
  };

  // Images

  const swapped = (text, renamed, pattern) =>
    text.replace(pattern, (url) => {
      const to = renamed.get(plain(absolute(url)));
      return to ? to + rest(url) : url;
    });
  const swapImages = (renamed) => {
    for (const element of document.querySelectorAll("[src],[srcset],[poster],[*|href],[style],style")) {
      if (element.localName === "script" || element.localName === "a" || element.matches("link[rel~=stylesheet]")) continue;
      for (const name of ["src", "srcset", "poster", "href", "xlink:href", "style"]) {
        const value = element.getAttribute(name);
        if (value === null) continue;
        const next = swapped(value, renamed, name === "style" ? /[^\s"'()]+/g : /[^\s,]+/g);
        if (next === value) continue;
        // Through the object model an inline style needs no permission of the page's policy.
        if (name === "style") element.style.cssText = next;
        else element.setAttribute(name, next);
      }
      if (element.localName === "style") {
        const next = swapped(element.textContent, renamed, /[^\s"'()]+/g);
        if (next !== element.textContent) element.textContent = next;
      }
    }
  };

  // States

  const isSheet = (path) => /\.css$/i.test(path);
  const isImage = (path) => /\.(png|jpe?g|gif|svg|webp|avif|ico|bmp)$/i.test(path);
  // What only sheets and developer tools load comes with its sheet.
  const isCarried = (path) => /\.(map|woff2?|ttf|otf|eot)$/i.test(path);

  const apply = (steps, target) => {
    const names = new Map();
    for (const step of steps) {
      if (step.changes === null) return reload(target);
      for (const [logical, old, now] of step.changes) {
        if (names.has(logical)) names.get(logical)[1] = now;
        else names.set(logical, [old, now]);
      }
    }
    const sheets = new Map();
    const images = new Map();
    for (const [path, [old, now]] of names) {
      if (old === now || isCarried(path)) continue;
      if (!isSheet(path) && !isImage(path)) return reload(target);
      if (old === null) continue;
      if (now === null) return reload(target);
      (isSheet(path) ? sheets : images).set(plain(published(old)), published(now));
    }
    digest = target;
    swapSheets(sheets, target);
    swapImages(images);
  };

  const follow = (state) => {
    show(state.problems);
    if (!state.digest || leaving) return;
    if (state.digest === digest) return sessionStorage.removeItem(tried);
    const first = state.steps.map((step) => step.from).lastIndexOf(digest);
    if (first < 0) return reload(state.digest);
    apply(state.steps.slice(first), state.digest);
  };

  // The panel

  let panel = null;
  const sheet = `:host{all:initial;position:fixed;inset:auto 0 0 0;max-height:60vh;overflow:auto;z-index:2147483647;
    background:#1b1b1f;color:#f2f2f2;border-top:4px solid #e5484d;font:14px/1.5 ui-monospace,monospace;padding:12px 16px;
    box-sizing:border-box}
    .where{color:#ffb224;margin-top:8px}.text{white-space:pre;overflow:auto;background:#2a2a30;padding:4px 8px;margin:4px 0}
    .hint{color:#a9a9b3}button{float:right;font:inherit}`;
  const add = (parent, name, text) => {
    const element = document.createElement("div");
    element.className = name;
    element.textContent = text;
    parent.append(element);
  };
  const show = (problems) => {
    if (panel) panel.remove();
    panel = null;
    if (!problems.length) return;
    panel = document.createElement("assetbuild-problems");
    const root = panel.attachShadow({ mode: "open" });
    // A constructed sheet needs no 'unsafe-inline'.
    const style = new CSSStyleSheet();
    style.replaceSync(sheet);
    root.adoptedStyleSheets = [style];
    const close = document.createElement("button");
    close.textContent = "Close";
    close.addEventListener("click", () => panel && panel.remove());
    root.append(close);
    for (const one of problems) {
      if (one.file) add(root, "where", one.line ? `${one.file}:${one.line}:${one.column}` : one.file);
      add(root, "message", one.message);
      if (one.text) add(root, "text", one.text);
      if (one.hint) add(root, "hint", one.hint);
    }
    document.documentElement.append(panel);
  };

  // The channel: one for all tabs of the origin, since browsers open six connections to a host

  const MOST = 70;
  let last = null;
  let failures = 0;
  let source = null;
  const others = window.BroadcastChannel ? new BroadcastChannel("assetbuild-live " + events) : null;
  const listen = () => {
    if (source) return;
    source = new EventSource(events);
    source.onmessage = (event) => {
      failures = 0;
      last = JSON.parse(event.data);
      // The tabs first: this one may be about to leave.
      if (others) others.postMessage({ state: last });
      follow(last);
    };
    source.onerror = () => {
      source.close();
      source = null;
      last = null; // What is built meanwhile is not known.
      failures += 1;
      // Quietly for some ten minutes; a tab that is looked at again tries again, or asks the one that has the channel to.
      if (failures < MOST) setTimeout(listen, Math.min(500 * failures, 10000));
    };
  };
  const again = () => {
    if (failures < MOST) return;
    failures = 0;
    listen();
  };
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState !== "visible") return;
    again();
    if (others) others.postMessage({ ask: true });
  });
  const start = () => {
    if (!navigator.locks || !others) {
      // No lock on plain HTTP beyond loopback: there only tabs that are looked at have a channel.
      const seen = () => {
        if (document.visibilityState === "visible") listen();
        else if (source) {
          source.close();
          source = null;
        }
      };
      document.addEventListener("visibilitychange", seen);
      return seen();
    }
    others.onmessage = ({ data }) => {
      if (data.state) return follow(data.state);
      again();
      if (last) others.postMessage({ state: last });
    };
    others.postMessage({ ask: true });
    // Held until the page goes, when the next tab gets it.
    navigator.locks.request("assetbuild-live " + events, () => {
      listen();
      return new Promise(() => {});
    });
  };
  if (document.readyState === "loading") document.addEventListener("DOMContentLoaded", start);
  else start();
})();
