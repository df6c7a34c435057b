// Everything that a script of the page can read and that is long enough to be a token: [{ where, name, value }].
(async () => {
  const found = [];
  const shortest = 12;
  const add = (where, name, value) => {
    if (found.length < 600 && typeof value === 'string' && value.length >= shortest) {
      found.push({ where, name: String(name).slice(0, 80), value: value.slice(0, 9000) });
    }
  };
  // A value, and what lies inside of it if it is an object or JSON.
  const walk = (where, name, value, depth, seen) => {
    if (depth < 0 || value === null || value === undefined) return;
    if (typeof value === 'string') {
      add(where, name, value);
      if (/^[{["]/.test(value)) {
        try { walk(where, name, JSON.parse(value), depth - 1, seen); } catch { /* no JSON */ }
      }
      return;
    }
    if (typeof value !== 'object' || seen.has(value)) return;
    seen.add(value);
    if (value instanceof Node || value instanceof Window) return;
    let names = [];
    try { names = Object.keys(value).slice(0, 60); } catch { return; }
    for (const inner of names) {
      try { walk(where, `${name}.${inner}`, value[inner], depth - 1, seen); } catch { /* a getter that throws */ }
    }
  };
  for (const where of ['localStorage', 'sessionStorage']) {
    try {
      const store = window[where];
      for (let i = 0; i < store.length; i++) walk(where, store.key(i), store.getItem(store.key(i)), 5, new Set());
    } catch { /* storage is switched off */ }
  }
  for (const pair of document.cookie.split('; ')) {
    const at = pair.indexOf('=');
    if (at > 0) walk('document.cookie', pair.slice(0, at), decode(pair.slice(at + 1)), 4, new Set());
  }
  function decode(text) { try { return decodeURIComponent(text); } catch { return text; } }
  // Names that every window has are not the application's.
  const frame = document.createElement('iframe');
  frame.hidden = true;
  document.documentElement.append(frame);
  const usual = new Set(frame.contentWindow ? Object.getOwnPropertyNames(frame.contentWindow) : []);
  frame.remove();
  for (const name of Object.getOwnPropertyNames(window)) {
    if (usual.has(name) || name === '__drill' || /^\d+$/.test(name)) continue;
    try { walk('global variable', name, window[name], 4, new Set()); } catch { /* a getter that throws */ }
  }
  for (const input of document.querySelectorAll('input[type=hidden]')) add('document', input.name || 'hidden field', input.value);
  for (const meta of document.querySelectorAll('meta[name]')) add('document', meta.name, meta.content);
  for (const element of document.querySelectorAll('*')) {
    for (const attribute of element.attributes) {
      if (attribute.name.startsWith('data-')) add('document', attribute.name, attribute.value);
    }
  }
  for (const script of document.querySelectorAll('script:not([src])')) {
    for (const token of script.textContent.match(/[\w-]{8,}\.[\w-]{8,}\.[\w-]{4,}/g) || []) add('document', 'inline script', token);
  }
  try {
    for (const { name, version } of await indexedDB.databases()) {
      const base = await new Promise((done, failed) => {
        const open = indexedDB.open(name, version);
        open.onsuccess = () => done(open.result);
        open.onerror = open.onblocked = () => failed(open.error);
      });
      for (const store of base.objectStoreNames) {
        const rows = await new Promise((done) => {
          const all = base.transaction(store).objectStore(store).getAll(null, 50);
          all.onsuccess = () => done(all.result);
          all.onerror = () => done([]);
        });
        rows.forEach((row, at) => walk('IndexedDB', `${name}/${store}[${at}]`, row, 5, new Set()));
      }
      base.close();
    }
  } catch { /* IndexedDB is switched off */ }
  return found;
})()
