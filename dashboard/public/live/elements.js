// Makes elements from text alone: nothing that comes from the graph is ever read as markup.

/**
 * @param {string} tag @param {{ class?: string, text?: string, title?: string, data?: Readonly<Record<string, string>> }} [properties]
 * @param {...(Node | string)} children @returns {HTMLElement}
 */
export function element(tag, properties = {}, ...children) {
  const made = document.createElement(tag);
  if (properties.class !== undefined) made.className = properties.class;
  if (properties.text !== undefined) made.textContent = properties.text;
  if (properties.title !== undefined) made.title = properties.title;
  for (const [name, value] of Object.entries(properties.data ?? {})) made.dataset[name] = value;
  made.append(...children);
  return made;
}

/** @param {string} id @returns {HTMLElement} an element that the page is known to have */
export function byId(id) {
  const found = document.getElementById(id);
  if (found === null) throw new TypeError(`the page has no #${id}`);
  return found;
}
