// A 案卷 of urban management as it goes over the wire: the codes of its stages, reasons and answers.

import { neededText, optionalNumber, optionalText, readGiven } from '../departments/fields.ts';
import type { Way } from '../departments/handling.ts';
import type { Work, WorkContent } from '../departments/work-books.ts';
import { toLocalSeconds } from '../local-time.ts';

/**
 * Stages: 1 待立案, 2 已立案, 3 已派遣, 4 处置中, 5 已反馈, 6 已结案, 8 已回退, 9 不予立案.
 * Reasons of 回退 and 不予立案: H1 非本部门职责, H2 不在管辖区域, H3 信息不全, H4 重复案卷, H5 已进入法律程序, H9 无法处置.
 */
export const WAY: Way = {
  states: ['1', '2', '3', '4', '5', '6'],
  returnsIn: ['1', '3'],
  returned: '8',
  reasons: ['H1', 'H2', 'H3', 'H4', 'H9'],
  settled: '5',
  results: ['已现场处置完毕', '已责令整改并复查合格', '已修复，恢复正常使用', '已清理完毕'],
};

/** GB/T 30428.2-2013, event categories of two and two digits that nothing else fits. */
const CATEGORY_OTHER = '0599';

/** Reads the body of `POST /api/v2/cases`; throws FieldError. */
export function decodeNewCase(value: unknown): { readonly clientNo: string; readonly content: WorkContent } {
  const given = readGiven(value);
  const districtCode = neededText(given, 'districtCode');
  return {
    clientNo: neededText(given, 'clientNo'),
    content: {
      caseTitle: neededText(given, 'caseTitle'),
      caseDesc: optionalText(given, 'caseDesc'),
      categoryCode: optionalText(given, 'categoryCode') ?? CATEGORY_OTHER,
      districtCode,
      address: optionalText(given, 'address'),
      longitude: optionalNumber(given, 'longitude'),
      latitude: optionalNumber(given, 'latitude'),
      urgentFlag: optionalText(given, 'urgentFlag') ?? '0',
      limitTime: optionalText(given, 'limitTime'),
    },
  };
}

/** As the interface and the webhook show it. */
export function encodeCase(work: Work): Readonly<Record<string, unknown>> {
  return {
    caseNo: work.no,
    clientNo: work.clientNo,
    ...work.content,
    stage: work.state,
    backReason: work.reason,
    disposeResult: work.result,
    createTime: toLocalSeconds(work.takenAtMs),
    updateTime: toLocalSeconds(work.changedAtMs),
    revision: work.version,
  };
}
