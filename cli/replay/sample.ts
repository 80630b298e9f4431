// Makes the sample of municipal requests beside it, always the same one: `node cli/replay/sample.ts > cli/replay/sample.csv`.
import { join } from 'node:path';
import { invariant } from '@weft/core/errors';
import { type Mapping, readMapping } from './mapping.ts';

const ROWS = 50;
const SEED = 12_345;
/** The first request, on the clock of the mapping's zone; the others follow within two days. */
const FIRST_MS = Date.UTC(2026, 10, 20, 7, 30);
const MINUTES_APART_MAX = 110;

const HEADER = ['工单编号', '受理时间', '诉求类别', '社区', '事发地点', '来源', '诉求内容'];
const SPOTS = ['东街', '西街', '南弄', '北弄', '菜场旁', '小学门口', '公园路', '桥堍', '沿河路', '停车场'];
const WISHES = [
  '影响居民通行，请核实处理',
  '已有数日，请尽快处理',
  '希望有关部门到现场查看',
  '存在安全隐患，请及时处置',
];

/** The text of `sample.csv`: types, areas and sources are those that the mapping lists. */
export function makeSample(mapping: Mapping): string {
  const random = createRandom(SEED);
  const pick = (list: readonly string[]) => {
    const chosen = list[Math.floor(random() * list.length)];
    invariant(chosen !== undefined, 'the mapping lists types, areas and sources');
    return chosen;
  };
  let atMs = FIRST_MS;
  const lines = Array.from({ length: ROWS }, (_, index) => {
    const [type, area, source] = [mapping.types, mapping.areas, mapping.sources].map((table) =>
      pick(Object.keys(table)),
    );
    const place = `${area}${pick(SPOTS)}${1 + Math.floor(random() * 180)}号`;
    const at = new Date(atMs).toISOString().slice(0, 16).replace('T', ' ');
    atMs += Math.ceil(random() * MINUTES_APART_MAX) * 60_000;
    const number = `SR-${String(index + 1).padStart(4, '0')}`;
    return [number, at, type, area, place, source, `市民反映${place}${type}，${pick(WISHES)}`].join(',');
  });
  return `${[HEADER.join(','), ...lines].join('\n')}\n`;
}

/** Numbers from 0 up to but not 1, always the same ones for a seed (mulberry32). */
function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

if (import.meta.main) {
  process.stdout.write(makeSample(readMapping(join(import.meta.dirname, 'sample.mapping.json'))));
}
