// The line that says whether what is on the screen is live, and if not, since when.
import { formatTime } from './clock.js';

/** @param {HTMLElement} element */
export function createBanner(element) {
  let isUp = false;
  let downSinceMs = Date.now();
  let lastSignMs = 0;
  let attempts = 0;
  /** @type {Map<string, string>} field to code: operations that the hub has ended and that are being begun again */
  const ended = new Map();

  const show = () => {
    const { state, text } = describe();
    document.body.classList.toggle('stale', state !== 'live');
    element.dataset.state = state;
    // A status region is read out at each change of its text: it may change only when the words do.
    if (element.textContent !== text) element.textContent = text;
  };
  const describe = () => {
    if (!isUp && lastSignMs === 0)
      return {
        state: attempts > 1 ? 'down' : 'connecting',
        text:
          attempts > 1
            ? `自 ${formatTime(downSinceMs)} 起连不上，正在重试（第 ${attempts} 次）。`
            : '正在连接…',
      };
    if (!isUp)
      return {
        state: 'down',
        text: `连接自 ${formatTime(downSinceMs)} 起中断：下面的内容停在那一刻。正在重连（第 ${attempts} 次）。`,
      };
    if (ended.size > 0)
      return {
        state: 'connecting',
        text: `实时订阅被中止（${[...ended.values()].join(', ')}），正在重新订阅。`,
      };
    return { state: 'live', text: '实时连接正常' };
  };
  show();
  return {
    up() {
      isUp = true;
      lastSignMs = Date.now();
      show();
    },
    /** @param {number} tried */
    down(tried) {
      if (isUp) downSinceMs = Date.now();
      isUp = false;
      attempts = tried;
      show();
    },
    /** Anything that came over the socket. */
    sign() {
      lastSignMs = Date.now();
    },
    /** @param {string} field @param {string | null} code null: it runs */
    operation(field, code) {
      if (code === null) ended.delete(field);
      else ended.set(field, code);
      show();
    },
  };
}
