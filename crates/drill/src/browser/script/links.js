// Pages of the same origin that this one links to, without those that sign out or delete.
(() => {
  const out = new Set();
  for (const link of document.querySelectorAll('a[href]')) {
    const url = new URL(link.href, location.href);
    url.hash = link.hash.startsWith('#/') ? link.hash : '';
    if (url.origin !== location.origin || link.hasAttribute('download')) continue;
    if (/log.?out|sign.?out|delete|remove|destroy|revoke|unsubscribe|\.(png|jpe?g|svg|pdf|zip|css|js|ico)$/i.test(url.href + link.textContent)) continue;
    out.add(url.href);
  }
  return [...out].slice(0, 12);
})()
