// Files as people name them: by kind and size.

/** @type {Readonly<Record<string, string>>} */
const KINDS = {
  'image/jpeg': 'JPEG 图片',
  'image/png': 'PNG 图片',
  'image/webp': 'WebP 图片',
  'image/heic': 'HEIC 图片',
  'video/mp4': 'MP4 视频',
  'application/pdf': 'PDF 文件',
  'application/vnd.openxmlformats-officedocument.wordprocessingml.document': 'Word 文件',
  'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet': 'Excel 文件',
  'text/plain': '文本',
};
const UNITS = ['B', 'KB', 'MB', 'GB'];
const UNIT_BYTES = 1024;

/** @param {string} type a media type, maybe with parameters @returns {string} */
export function fileKind(type) {
  const [essence = ''] = type.split(';');
  return KINDS[essence.trim()] ?? type;
}

/** @param {number} bytes @returns {string} for example `1.4 MB` */
export function fileSize(bytes) {
  let value = bytes;
  let unit = 0;
  while (value >= UNIT_BYTES && unit < UNITS.length - 1) {
    value /= UNIT_BYTES;
    unit += 1;
  }
  return `${unit === 0 || value >= 100 ? Math.round(value) : value.toFixed(1)} ${UNITS[unit]}`;
}
