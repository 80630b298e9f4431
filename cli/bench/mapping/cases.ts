// What `weft bench mapping` compares: a mapping, the function that somebody would write by hand for it, and data.

export interface MappingCase {
  readonly name: string;
  readonly mapping: string;
  /** The same by hand: checks what a careful programmer checks, in one zone that is known. */
  readonly byHand: (input: unknown) => unknown;
  readonly input: unknown;
}

type Loose = Readonly<Record<string, unknown>>;

const ROWS = 200;
const STATES = ['10', '20', '30', '40', '50', '77'];

const orders = {
  code: '0000',
  data: {
    area: '320508',
    rows: Array.from({ length: ROWS }, (_, index) => ({
      orderNo: `GD2026${String(index).padStart(6, '0')}`,
      subject: `路灯不亮 ${index}`,
      state: STATES[index % STATES.length],
      createTime: `2026-11-22 08:${String(index % 60).padStart(2, '0')}:00`,
      amount: index % 7 === 0 ? null : `${index}.50`,
      wgybh: index % 5 === 0 ? null : `W${index}`,
      priority: index % 3,
      tags: 'a;b;c',
    })),
  },
};

/** The mappings of a wrapped system as they are: paths, codes, times, numbers, a nested reference. */
export const MAPPING_CASES: readonly MappingCase[] = [
  {
    name: 'plain fields of rows',
    mapping: '$.data.rows { id: orderNo title: subject priority area: $.data.area }',
    byHand(input) {
      const area = field(field(input, 'data'), 'area');
      return rowsOf(input).map((row) => ({
        id: row.orderNo ?? null,
        title: row.subject ?? null,
        priority: row.priority ?? null,
        area,
      }));
    },
    input: orders,
  },
  {
    name: 'codes, times, numbers and a reference',
    mapping: `$.data.rows {
      id: orderNo title: subject->trim rawState: state
      state: state->match(['10','PENDING'],['20','ASSIGNED'],['30','HANDLING'],['40','REVIEW'],['50','CLOSED'])
      openedAt: createTime->dateTime amount: amount->number worker: { id: wgybh } area: $.data.area
    }`,
    byHand(input) {
      const area = field(field(input, 'data'), 'area');
      return rowsOf(input).map((row) => ({
        id: row.orderNo ?? null,
        title: typeof row.subject === 'string' ? row.subject.trim() : null,
        rawState: row.state ?? null,
        state: STATE_NAMES.get(String(row.state)) ?? null,
        openedAt: openedAt(row.createTime),
        amount: row.amount === null || row.amount === undefined ? null : numberOf(row.amount),
        worker: row.wgybh === null || row.wgybh === undefined ? null : { id: row.wgybh },
        area,
      }));
    },
    input: orders,
  },
  {
    name: 'a filter of events',
    mapping: "$.division->under($.area)->and($.state->eq('OPEN'), $.version->gt(3))",
    byHand(input) {
      const { division, area, state, version } = input as Loose;
      return (
        typeof division === 'string' &&
        typeof area === 'string' &&
        division.startsWith(area.replace(/(?:00)+$/, '')) &&
        state === 'OPEN' &&
        Number(version) > 3
      );
    },
    input: { division: '320508001001', area: '320508', state: 'OPEN', version: 7 },
  },
];

const STATE_NAMES: ReadonlyMap<string, string> = new Map([
  ['10', 'PENDING'],
  ['20', 'ASSIGNED'],
  ['30', 'HANDLING'],
  ['40', 'REVIEW'],
  ['50', 'CLOSED'],
]);

function field(value: unknown, name: string): unknown {
  return typeof value === 'object' && value !== null ? ((value as Loose)[name] ?? null) : null;
}

function rowsOf(input: unknown): readonly Loose[] {
  const rows = field(field(input, 'data'), 'rows');
  return Array.isArray(rows) ? rows : [];
}

const LOCAL_TIME = /^(\d{4})-(\d{2})-(\d{2}) (\d{2}):(\d{2}):(\d{2})$/;

/** RFC 3339 with the zone's offset, of a day that exists: the zone has had no summer time since 1991. */
function openedAt(value: unknown): string | null {
  const found = typeof value === 'string' ? LOCAL_TIME.exec(value) : null;
  if (found === null) return null;
  const [, year, month, day, hour, minute, second] = found;
  const date = new Date(Date.UTC(Number(year), Number(month) - 1, Number(day)));
  if (date.getUTCDate() !== Number(day) || Number(hour) > 23 || Number(minute) > 59 || Number(second) > 59)
    return null;
  return `${year}-${month}-${day}T${hour}:${minute}:${second}+08:00`;
}

function numberOf(value: unknown): number | null {
  const number = Number(value);
  return Number.isFinite(number) ? number : null;
}
