// Turns the reason that a system's teller gives into Chinese, by its kind.
import { codeLabel } from './failures.js';

/** @type {Readonly<Record<string, string>>} what the operating system says of a connection or a file */
const SIGNS = {
  ECONNREFUSED: '拒绝连接',
  ECONNRESET: '连接被断开',
  ETIMEDOUT: '连接超时',
  EHOSTUNREACH: '网络不通',
  ENETUNREACH: '网络不通',
  ENOTFOUND: '地址解析失败',
  EAI_AGAIN: '地址解析失败',
  ENOENT: '数据文件不存在',
  EACCES: '无权读取',
};

/** @type {readonly (readonly [RegExp, (...parts: string[]) => string])[]} */
const KINDS = [
  [/^cannot be reached \((\w+)\)$/, (sign) => `连接不上（${SIGNS[sign] ?? sign}）`],
  [/^([A-Z][A-Z_]+) at /, (code) => codeLabel(code)],
  [/^nobody has told of it for (\d+) s$/, (seconds) => `已 ${seconds} 秒没有消息`],
  [/stopped$/, () => '服务已停止'],
];

/**
 * What a person reads; the reason itself belongs into the title beside it.
 * @param {string} reason as `System.reason` has it @returns {string}
 */
export function describeTrouble(reason) {
  for (const [pattern, describe] of KINDS) {
    const match = pattern.exec(reason);
    if (match !== null) return describe(...match.slice(1));
  }
  return '出现故障';
}
