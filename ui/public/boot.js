// Before the first paint and before the modules: the chosen theme, and the request that everything else waits for.
(() => {
  try {
    const theme = localStorage.getItem('elt-theme');
    if (['light', 'dark', 'contrast'].includes(theme)) document.documentElement.dataset.theme = theme;
  } catch {
    // Storage may be forbidden: the system's theme serves.
  }
  const firstContact = fetch('/api/v1/instance', { headers: { accept: 'application/json' } });
  firstContact.catch(() => {});
  window.eltFirstContact = firstContact;
})();
