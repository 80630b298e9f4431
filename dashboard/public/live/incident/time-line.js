// The steps of an incident as data: what each says to a person, the newest on top, and which of them are new to the eye.
import { formatInstant } from '../clock.js';
import { systemLabel } from '../failures.js';

/** @typedef {import('./documents.js').Step} Step */

/** @type {Readonly<Record<string, string>>} */
const ROLE_LABELS = {
  leader: '领导',
  'duty-officer': '值班席',
  operator: '业务人员',
  'centre-staff': '中心人员',
  'stationed-agency': '派驻机构',
  'department-handler': '部门经办人',
  'grid-head': '网格长',
  'grid-worker': '网格员',
  volunteer: '志愿者',
  citizen: '群众',
  'party-member': '党员',
  public: '公众',
};

/** @type {Readonly<Record<string, string>>} what stands as the reason of a step that a clock or a delivery made */
const REASON_LABELS = {
  PENDING: '待送达',
  APPLIED: '对方系统已收到',
  UNKNOWN: '结果不明，正在核对',
  DEAD: '未能送达，待人工处理',
  SIGN: '签收时限已过',
  HANDLE: '处置时限已过',
  REPLY: '答复时限已过',
};

/** @param {Step} step @returns {string} who did it, as people say it */
export function describeActor({ by, role }) {
  const system = /^system:(.+)$/.exec(by)?.[1];
  if (system !== undefined) return `${systemLabel(system)}系统`;
  const label = role === null ? undefined : (ROLE_LABELS[role] ?? role);
  return label === undefined ? systemLabel(by) : `${by}（${label}）`;
}

/** @param {Step} step @returns {readonly string[]} what else there is to say of it, in the order to be read */
export function describeStep({ kind, reason, remark, attempt, department, centre, rating }) {
  const told = kind === 'DELIVERY' || kind === 'OVERDUE' ? (REASON_LABELS[reason ?? ''] ?? reason) : reason;
  return [
    department?.name == null ? null : `${department.name}${attempt === null ? '' : `，第 ${attempt} 次派发`}`,
    centre?.name ?? null,
    rating === null ? null : `${rating} 星，满分 5 星`,
    told,
    remark === null ? null : describeRemark(remark),
  ].filter((text) => text !== null);
}

/** What a system told has the time there as its remark. @param {string} remark */
function describeRemark(remark) {
  return /^\d{4}-\d\d-\d\dT[\d:.]+Z$/.test(remark) ? `对方系统时间 ${formatInstant(remark)}` : remark;
}

/**
 * @param {readonly Step[]} steps the first one first @param {number} knownUpTo sequence of the last one that was on the screen; 0: none was
 * @returns {readonly { step: Step, isFresh: boolean }[]} the newest first; of a first drawing none is fresh
 */
export function timeLine(steps, knownUpTo) {
  return steps
    .map((step) => ({ step, isFresh: knownUpTo > 0 && step.sequence > knownUpTo }))
    .sort((one, other) => other.step.sequence - one.step.sequence);
}
