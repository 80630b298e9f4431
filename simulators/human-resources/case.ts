// A 案件 of human resources as its messages show it, in the abbreviations of its old program, and the codes in it.
import { type Given, neededText, optionalText } from '../departments/fields.ts';
import type { Way } from '../departments/handling.ts';
import type { Work, WorkContent } from '../departments/work-books.ts';
import { toLocalDigits } from '../local-time.ts';

/**
 * zt: 01 已接收, 02 已受理, 03 调查处理, 04 已办结, 05 已退件.
 * tjyy: 1 不属人社职责, 2 不属本地管辖, 3 材料不全, 4 重复来件, 5 已进入仲裁或诉讼, 9 其他.
 */
export const WAY: Way = {
  states: ['01', '02', '03', '04'],
  returnsIn: ['01', '02'],
  returned: '05',
  reasons: ['1', '2', '3', '4', '9'],
  settled: '04',
  results: ['已责令用人单位限期改正', '已督促补发工资', '已告知当事人依法申请仲裁', '已答复政策口径'],
};

/** Reads an LADJ (立案登记); throws FieldError. */
export function decodeNewCase(given: Given): { readonly clientNo: string; readonly content: WorkContent } {
  return {
    clientNo: neededText(given, 'lhbh'),
    content: {
      bt: neededText(given, 'bt'),
      nr: optionalText(given, 'nr'),
      qh: neededText(given, 'qh'),
      dz: optionalText(given, 'dz'),
      jjcd: optionalText(given, 'jjcd') ?? '1',
    },
  };
}

export function encodeCase(work: Work): Readonly<Record<string, string | number | null>> {
  return {
    ajbh: work.no,
    lhbh: work.clientNo,
    ...work.content,
    zt: work.state,
    tjyy: work.reason,
    cljg: work.result,
    jssj: toLocalDigits(work.takenAtMs),
    gxsj: toLocalDigits(work.changedAtMs),
    bb: work.version,
  };
}
