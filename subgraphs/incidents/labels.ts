// The Chinese labels of channels and states, one table each.

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

export function isChannel(value: unknown): value is Channel {
  return typeof value === 'string' && Object.hasOwn(CHANNEL_LABELS, value);
}

/** The states are written by this subgraph alone: another one in the store is a bug. */
export function isIncidentState(value: unknown): value is IncidentState {
  return typeof value === 'string' && Object.hasOwn(STATE_LABELS, value);
}
