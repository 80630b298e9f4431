// A record as an old system writes it into a file, in GB 18030.
import iconv from 'iconv-lite';
import type { SuiteFault, SuiteRecord } from '../column.ts';

export type FileFormat = 'CSV' | 'XML';

/** Bytes that are no character of GB 18030. */
const NO_TEXT = Buffer.from([0xff, 0xff]);
const NAMES = ['编号', '区划', '状态', '版本', '时间', '名称'] as const;

export function fileOf(record: SuiteRecord, format: FileFormat, fault: SuiteFault | undefined): Buffer {
  const { id, area, state, version, changedAt, name } = record;
  const local = changedAt.replace('T', ' ').replace(/[+-]\d\d:\d\d$/, '');
  const written = fault === 'wrong type' ? '最新' : String(version);
  const cells = [id, area, state === 'OPEN' ? '1' : '2', written, local, name];
  const rows = fault === 'duplicate' ? [cells, cells] : [cells];
  const [head, foot] =
    format === 'CSV' ? [`${NAMES.join(',')}\r\n`, ''] : [`${DECLARATION}<登记>`, '</登记>'];
  const bytes = rows.flatMap((row) => {
    const text = iconv.encode(format === 'CSV' ? csvLine(row) : xmlElement(row), 'gb18030');
    // Within the name, which stands last.
    const end = format === 'CSV' ? 3 : '</名称></记录>'.length;
    return fault === 'wrong charset'
      ? [text.subarray(0, -end - 8), NO_TEXT, text.subarray(-end - 8)]
      : [text];
  });
  return Buffer.concat([iconv.encode(head, 'gb18030'), ...bytes, iconv.encode(foot, 'gb18030')]);
}

const DECLARATION = '<?xml version="1.0" encoding="GB18030"?>\n';

function csvLine(cells: readonly string[]): string {
  return `${cells.map((cell) => `"${cell.replaceAll('"', '""')}"`).join(',')}\r\n`;
}

function xmlElement(cells: readonly string[]): string {
  const escaped = (text: string) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
  return `<记录>${cells.map((cell, index) => `<${NAMES[index]}>${escaped(cell)}</${NAMES[index]}>`).join('')}</记录>`;
}
