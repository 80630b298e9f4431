// A 诉求件 of market supervision as it goes over the wire: XML in, XML out, and the codes of its states and reasons.
import { type Given, neededText, optionalText } from '../departments/fields.ts';
import type { Way } from '../departments/handling.ts';
import type { Work, WorkContent } from '../departments/work-books.ts';
import { escapeXml, type XmlElement } from '../police/xml.ts';

/**
 * States: DSL 待受理, YSL 已受理, DCZ 调查处理中, YBJ 已办结, YTH 已退回.
 * Reasons of 退回: TH01 不属市场监管职责, TH02 不属本所辖区, TH03 诉求不明确, TH04 重复投诉, TH05 已立案或诉讼, TH99 其他.
 */
export const WAY: Way = {
  states: ['DSL', 'YSL', 'DCZ', 'YBJ'],
  returnsIn: ['DSL', 'YSL'],
  returned: 'YTH',
  reasons: ['TH01', 'TH02', 'TH03', 'TH04', 'TH99'],
  settled: 'YBJ',
  results: ['经核查情况属实，已责令改正', '经调解双方达成一致', '已立案查处', '经核查未发现违法行为'],
};

/** Reads the children of `<Petition>`; throws FieldError. */
export function decodePetition(element: XmlElement): {
  readonly clientNo: string;
  readonly content: WorkContent;
} {
  const given: Given = Object.fromEntries(element.children.map(({ name, text }) => [name, text]));
  return {
    clientNo: neededText(given, 'SourceNo'),
    content: {
      Subject: neededText(given, 'Subject'),
      Content: optionalText(given, 'Content'),
      Kind: optionalText(given, 'Kind') ?? 'QT',
      Area: neededText(given, 'Area'),
      Address: optionalText(given, 'Address'),
      Deadline: optionalText(given, 'Deadline'),
    },
  };
}

/** As the interface shows it. */
export function encodePetitionXml(work: Work): string {
  const fields = Object.entries(encodePetition(work))
    .filter(([name, value]) => value !== null && name !== 'Version' && name !== 'No')
    .map(([name, value]) => `<${name}>${escapeXml(String(value))}</${name}>`);
  return `<Petition no="${work.no}" version="${work.version}">${fields.join('')}</Petition>`;
}

/** As the webhook tells it. */
export function encodePetition(work: Work): Readonly<Record<string, string | number | null>> {
  return {
    No: work.no,
    SourceNo: work.clientNo,
    ...work.content,
    State: work.state,
    BackCode: work.reason,
    Reply: work.result,
    AcceptedAt: new Date(work.takenAtMs).toISOString(),
    ChangedAt: new Date(work.changedAtMs).toISOString(),
    Version: work.version,
  };
}
