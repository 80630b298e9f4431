// Which incident the address of the page names: `#incident=ID`.

/** What is no id is asked for as well: the answer, that there is none such, is the one that whoever mistyped it needs. */
const NAMED = /^#incident=([^&]{1,100})/;

/** @param {string} hash @returns {string | null} null: none */
export function incidentOfAddress(hash) {
  return NAMED.exec(hash)?.[1]?.trim().toLowerCase() ?? null;
}

/** @param {string} id @param {string} text @returns {HTMLAnchorElement} */
export function incidentLink(id, text) {
  const link = document.createElement('a');
  link.href = `#incident=${id}`;
  link.textContent = text;
  return link;
}
