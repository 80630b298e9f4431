// What codes of the registry are called, and figures as a person reads them.

/** @type {Readonly<Record<string, string>>} */
export const TONES = {
  UP: 'good',
  DEGRADED: 'warn',
  DOWN: 'bad',
  CLOSED: 'good',
  HALF_OPEN: 'warn',
  OPEN: 'bad',
};
/** @type {Readonly<Record<string, string>>} */
export const KIND_LABELS = {
  SEED: '随安装登记',
  PUBLISH: '发布',
  ROLLBACK: '回退',
  QUARANTINE: '隔离',
  RELEASE: '解除隔离',
  REMOVE: '移除',
};
/** @type {Readonly<Record<string, string>>} */
export const ACTION_LABELS = {
  seed: '随安装登记',
  registerSystem: '登记系统',
  pushVersion: '提交版本',
  publishVersions: '发布版本',
  checkVersions: '检查版本',
  approveVersion: '批准版本',
  approveBreakingChange: '批准破坏性变更',
  rollback: '回退',
  quarantineSystem: '隔离系统',
  releaseSystem: '解除隔离',
  removeSystem: '移除系统',
};
/** @type {Readonly<Record<string, string>>} */
export const OUTCOME_LABELS = {
  OK: '通过',
  COMPOSITION_FAILED: '不能合成',
  CHECK_FAILED: '会破坏在用的操作',
  NOT_OWNER: '字段归别的系统',
  INVALID_URL: '地址不许可',
  FORBIDDEN: '无权',
  UNAUTHENTICATED: '未登录',
  CONFLICT: '已有新的变化',
  APPROVAL_REQUIRED: '待批准',
  BAD_USER_INPUT: '申请有误',
  SDL_TOO_LARGE: '描述过大',
};
/** @type {Readonly<Record<string, string>>} */
export const BREAKER_LABELS = { CLOSED: '畅通', HALF_OPEN: '试探', OPEN: '断开' };
/** @type {Readonly<Record<string, string>>} */
export const DRIFT_LABELS = { UNCHANGED: '相符', CHANGED: '已变', UNKNOWN: '无法核对' };

/** @param {Readonly<Record<string, string>>} labels @param {string} code @returns {string} */
export function labelOf(labels, code) {
  return labels[code] ?? code;
}

/** @param {number | null | undefined} ms @returns {string} */
export function formatMs(ms) {
  if (ms === null || ms === undefined) return '—';
  return ms < 10 ? `${ms.toFixed(1)} ms` : `${Math.round(ms)} ms`;
}

/** @param {number | null} share 0 to 1 @returns {string} */
export function formatShare(share) {
  if (share === null) return '—';
  return `${(share * 100).toFixed(share > 0 && share < 0.1 ? 1 : 0)}%`;
}

/**
 * What a publication did to one system.
 * @param {import('./documents.js').MemberChange} change @returns {string}
 */
export function describeChange({ system, before, after }) {
  if (before === null) return `${system} 加入（第 ${after?.number ?? '?'} 版）`;
  if (after === null) return `${system} 退出（原第 ${before.number} 版）`;
  return `${system} 第 ${before.number} 版 → 第 ${after.number} 版`;
}

/** @param {import('./documents.js').Budget} budget @returns {string} how often it may be asked */
export function describeBudget({ ratePerSecond, burst, concurrency, quietHours }) {
  const rate = ratePerSecond === null ? '不限次数' : `每秒 ${ratePerSecond} 次（另许突发 ${burst ?? 0} 次）`;
  const quiet = quietHours.length === 0 ? '' : `，${quietHours.join('、')} 不访问`;
  return `${rate}，同时 ${concurrency} 次${quiet}`;
}
