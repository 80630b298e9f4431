// The Chinese labels of the library's enums, one table each.
import type { DeliveryState } from '@weft/schema/incident-dispatch';

/** 来源渠道: where reports come from. */
export const CHANNEL_LABELS = {
  APP: '统一APP',
  WECHAT: '微信',
  HOTLINE: '热线电话',
  WEBSITE: '网站',
  MAILBOX: '信箱',
  EMAIL: '邮箱',
  WEIBO: '微博',
  SYSTEM_PUSH: '系统推送',
} as const;

export type Channel = keyof typeof CHANNEL_LABELS;

/** The states of an incident, in the order of its way. */
export const STATE_LABELS = {
  DRAFT: '草稿',
  REPORTED: '待受理',
  ACCEPTED: '受理',
  ROUTED: '分流',
  HANDLING: '处置',
  RETURNED: '退回',
  FED_BACK: '反馈',
  VERIFYING: '核查',
  CLOSED: '办结',
  EVALUATED: '评价',
  REJECTED: '不予受理',
  INVALID: '无效',
  MERGED: '合并',
} as const;

export type IncidentState = keyof typeof STATE_LABELS;

/** 紧急程度: above NORMAL deadlines run day and night. */
export const URGENCY_LABELS = { NORMAL: '一般', URGENT: '紧急', CRITICAL: '特急' } as const;

export type Urgency = keyof typeof URGENCY_LABELS;

/** 上报主体: who told us. */
export const REPORTER_KIND_LABELS = {
  CITIZEN: '人民群众',
  VOLUNTEER: '志愿者',
  GRASSROOTS_WORKER: '基层工作人员',
  PUBLIC_OFFICIAL: '公职人员',
  ORGANISATION: '各类组织机构',
  EXTERNAL_SYSTEM: '外部系统转入',
} as const;

export type ReporterKind = keyof typeof REPORTER_KIND_LABELS;

/** 退回原因: why a department gives an incident back. */
export const RETURN_REASON_LABELS = {
  NOT_OUR_DUTY: '超出职责范围',
  NOT_OUR_TERRITORY: '不属本辖区',
  INFORMATION_MISSING: '要素不全',
  DUPLICATE: '重复派单',
  LEGAL_PROCEEDING: '已进入法律程序',
  CANNOT_BE_SETTLED: '不能办结',
  OTHER: '其他',
} as const;

export type ReturnReason = keyof typeof RETURN_REASON_LABELS;

/** 时限: sign for, hand back, handle; and reply to those who reported. */
export const DEADLINE_LABELS = {
  SIGN: '签收时限',
  RETURN: '退回时限',
  HANDLE: '处置时限',
  REPLY: '答复时限',
} as const;

export type DeadlineKind = keyof typeof DEADLINE_LABELS;

/** What became of a dispatch to a department that has ended. */
export const OUTCOME_LABELS = { RETURNED: '已退回', FED_BACK: '已反馈', WITHDRAWN: '已撤回' } as const;

export type Outcome = keyof typeof OUTCOME_LABELS;

/** What became of telling a reporter. */
export const NOTIFICATION_LABELS = {
  PENDING: '待发送',
  SENT: '已发送',
  UNKNOWN: '结果不明',
  FAILED: '发送失败',
  NO_RECIPIENT: '无需告知',
} as const;

export type NotificationState = keyof typeof NOTIFICATION_LABELS;

/** By the state of the command that carries it out. */
export const NOTIFICATION_STATES: Readonly<Record<DeliveryState, NotificationState>> = {
  PENDING: 'PENDING',
  SENT: 'PENDING',
  APPLIED: 'SENT',
  REJECTED: 'FAILED',
  UNKNOWN: 'UNKNOWN',
  DEAD: 'FAILED',
  // Only a dispatch is ever superseded.
  SUPERSEDED: 'FAILED',
};

export function isChannel(value: unknown): value is Channel {
  return typeof value === 'string' && Object.hasOwn(CHANNEL_LABELS, value);
}

/** The states are written by this subgraph alone: another one in the store is a bug. */
export function isIncidentState(value: unknown): value is IncidentState {
  return typeof value === 'string' && Object.hasOwn(STATE_LABELS, value);
}

export function isUrgency(value: unknown): value is Urgency {
  return typeof value === 'string' && Object.hasOwn(URGENCY_LABELS, value);
}

export function isReporterKind(value: unknown): value is ReporterKind {
  return typeof value === 'string' && Object.hasOwn(REPORTER_KIND_LABELS, value);
}

export function isReturnReason(value: unknown): value is ReturnReason {
  return typeof value === 'string' && Object.hasOwn(RETURN_REASON_LABELS, value);
}
