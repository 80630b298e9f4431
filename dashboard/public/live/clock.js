// Times as the command centre reads them: Chinese notation, the district's zone.

const DATE_TIME = new Intl.DateTimeFormat('zh-CN', {
  timeZone: 'Asia/Shanghai',
  hourCycle: 'h23',
  year: 'numeric',
  month: '2-digit',
  day: '2-digit',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});
const TIME = new Intl.DateTimeFormat('zh-CN', {
  timeZone: 'Asia/Shanghai',
  hourCycle: 'h23',
  hour: '2-digit',
  minute: '2-digit',
  second: '2-digit',
});

/** @param {string | null} instant RFC 3339 @returns {string} date and time, or a dash when it is none */
export function formatInstant(instant) {
  const epochMs = instant === null ? Number.NaN : Date.parse(instant);
  return Number.isNaN(epochMs) ? '—' : DATE_TIME.format(epochMs);
}

/** @param {number} epochMs @returns {string} the time of day */
export function formatTime(epochMs) {
  return TIME.format(epochMs);
}
