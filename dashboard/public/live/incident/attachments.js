// What came with the steps of an incident: names, sizes and who added them, a picture as a preview, and the way to save each.
import { formatInstant } from '../clock.js';
import { byId, element } from '../elements.js';
import { readToken } from '../token.js';
import { fileKind, fileSize } from './files.js';
import { describeActor } from './time-line.js';

/**
 * @typedef {import('./documents.js').Attachment} Attachment
 * @typedef {import('./documents.js').WholeIncident} WholeIncident
 */

const PREVIEWS_MAX = 24;
const PREVIEW_BYTES_MAX = 20 * 1024 * 1024;
const PREVIEW_PIXELS_MAX = 160;
const FILE_MS_MAX = 120_000;
/** What browsers draw. */
const DRAWN = new Set(['image/jpeg', 'image/png', 'image/webp']);
/** The browser has begun to save it by then. */
const SAVED_MS = 60_000;

/** @returns {{ show: (incident: WholeIncident) => void, clear: () => void, close: () => void }} */
export function createAttachments() {
  const place = byId('incident-attachments');
  let shown = '';
  let gone = new AbortController();
  place.replaceChildren();
  return {
    show({ attachments, steps }) {
      const key = JSON.stringify(attachments?.map(({ id, step }) => [id, step]) ?? [readToken() === null]);
      // Drawn again, every picture would be fetched again.
      if (key === shown) return;
      shown = key;
      gone.abort();
      gone = new AbortController();
      place.replaceChildren(drawAttachments(attachments, steps, gone.signal));
    },
    clear() {
      shown = '';
      gone.abort();
      place.replaceChildren();
    },
    close() {
      gone.abort();
    },
  };
}

/** @param {WholeIncident['attachments']} attachments @param {WholeIncident['steps']} steps @param {AbortSignal} signal */
function drawAttachments(attachments, steps, signal) {
  if (attachments === null || attachments === undefined)
    return quiet(readToken() === null ? '使用令牌后可见。' : '无权查看。');
  if (attachments.length === 0) return quiet('没有附件。');
  const bySequence = new Map(steps.map((step) => [step.sequence, step]));
  /** @type {{ attachment: Attachment, place: HTMLElement }[]} */
  const pictures = [];
  const list = element('ul', { class: 'attachments' });
  for (const attachment of attachments) {
    const place = element('div', { class: 'preview', text: fileKind(attachment.type) });
    const isDrawn = DRAWN.has(attachment.type) && attachment.size <= PREVIEW_BYTES_MAX;
    if (isDrawn && pictures.length < PREVIEWS_MAX) pictures.push({ attachment, place });
    list.append(drawAttachment(attachment, bySequence.get(attachment.step), place, signal));
  }
  void drawPreviews(pictures, signal);
  return list;
}

/** @param {Attachment} attachment @param {WholeIncident['steps'][number] | undefined} step @param {HTMLElement} preview @param {AbortSignal} signal */
function drawAttachment(attachment, step, preview, signal) {
  const { name, type, size } = attachment;
  const note = element('span', { class: 'second failed' });
  note.setAttribute('role', 'status');
  const save = element('button', { text: '下载' });
  save.setAttribute('type', 'button');
  save.setAttribute('aria-label', `下载 ${name}`);
  save.addEventListener('click', async () => {
    note.textContent = '';
    save.setAttribute('disabled', '');
    try {
      saveAs(await fetchFile(attachment, signal), name);
    } catch (thrown) {
      if (!signal.aborted)
        note.textContent = `下载失败：${thrown instanceof Error ? thrown.message : thrown}。`;
    }
    save.removeAttribute('disabled');
  });
  const added =
    step === undefined
      ? '随并入的事件而来'
      : `${step.kindLabel}时由 ${describeActor(step)} 添加，${formatInstant(step.at)}`;
  return element(
    'li',
    { data: { attachment: attachment.id } },
    preview,
    element(
      'div',
      {},
      element('span', { class: 'name', text: name }),
      element('span', { class: 'second', text: `${fileKind(type)}，${fileSize(size)}` }),
      element('span', { class: 'second', text: added }),
      note,
    ),
    save,
  );
}

/**
 * One after the other: a page that opens must not fetch a hundred photographs at once.
 * @param {readonly { attachment: Attachment, place: HTMLElement }[]} pictures @param {AbortSignal} signal
 */
async function drawPreviews(pictures, signal) {
  for (const { attachment, place } of pictures) {
    if (signal.aborted) return;
    try {
      const picture = await createImageBitmap(await fetchFile(attachment, signal));
      place.replaceChildren(scaled(picture, attachment.name));
      picture.close();
    } catch {
      // What cannot be had or is no picture after all keeps its kind there; to save it says why.
    }
  }
}

/** @param {ImageBitmap} picture @param {string} name */
function scaled(picture, name) {
  const scale = Math.min(1, PREVIEW_PIXELS_MAX / Math.max(picture.width, picture.height));
  const canvas = document.createElement('canvas');
  canvas.width = Math.max(1, Math.round(picture.width * scale));
  canvas.height = Math.max(1, Math.round(picture.height * scale));
  canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute('role', 'img');
  canvas.setAttribute('aria-label', `${name} 的预览`);
  return canvas;
}

/** With the viewer's own authority. @param {Attachment} attachment @param {AbortSignal} signal @returns {Promise<Blob>} */
async function fetchFile({ url }, signal) {
  const token = readToken();
  const response = await fetch(url, {
    headers: token === null ? {} : { authorization: `Bearer ${token}` },
    signal: AbortSignal.any([signal, AbortSignal.timeout(FILE_MS_MAX)]),
  });
  if (response.ok) return await response.blob();
  if (response.status === 401) throw new TypeError('令牌无效或已过期');
  if (response.status === 404) throw new TypeError('没有这个附件，或无权查看');
  throw new TypeError(`枢纽答复 HTTP ${response.status}`);
}

/** @param {Blob} file @param {string} name */
function saveAs(file, name) {
  const address = URL.createObjectURL(file);
  const link = document.createElement('a');
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), SAVED_MS);
}

/** @param {string} text */
function quiet(text) {
  return element('p', { class: 'quiet', text });
}
