// Takes away the link to the explorer where the hub does not serve it.
import { byId } from './elements.js';

export async function checkExplorerLink() {
  // Whoever cannot be asked now will be when the page is loaded again: the link stays.
  const response = await fetch('/explorer', { method: 'HEAD' }).catch(() => undefined);
  if (response?.status === 404) byId('explorer-link').hidden = true;
}
