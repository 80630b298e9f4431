// The access token that a page asks with: kept for this tab, sent to nobody but the hub.
import { byId } from './elements.js';

const KEY = 'weft.token';

/** @returns {string | null} */
export function readToken() {
  return sessionStorage.getItem(KEY);
}

/** @param {string} without what a page says that it does not show then @param {() => void} onChange when there is another token, or none any more */
export function followToken(without, onChange) {
  const form = byId('token-form');
  const input = /** @type {HTMLInputElement} */ (byId('token'));
  const show = () => {
    byId('token-note').textContent =
      readToken() === null
        ? `未使用令牌：${without}`
        : '正在使用令牌，关闭本标签页即忘记。留空再点“使用”可停用。';
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    const token = input.value.trim();
    if (token === '') sessionStorage.removeItem(KEY);
    else sessionStorage.setItem(KEY, token);
    input.value = '';
    show();
    onChange();
  });
  show();
}
