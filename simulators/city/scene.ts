// What happens in the city, drawn from a seed: a matter at a place, as citizens and grid workers tell it.
import { type Community, GRIDS_PER_COMMUNITY, toGridCode } from './divisions.ts';
import { MATTERS, type Matter } from './matters.ts';

export interface Scene {
  readonly matter: Matter;
  readonly community: Community;
  readonly gridCode: string;
  readonly address: string;
  readonly subject: string;
  readonly content: string;
}

/** Numbers from 0 up to but not 1, always the same ones for a seed (mulberry32). */
export function createRandom(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

export function pick<T>(random: () => number, list: readonly T[]): T {
  const chosen = list[Math.floor(random() * list.length)];
  if (chosen === undefined) throw new Error('nothing to pick from');
  return chosen;
}

export function drawScene(random: () => number, communities: readonly Community[]): Scene {
  const matter = pick(random, MATTERS);
  const community = pick(random, communities);
  const spot = pick(random, SPOTS);
  const address = `${community.street}${community.name}${spot}${1 + Math.floor(random() * 180)}号`;
  const opening = pick(random, OPENINGS);
  return {
    matter,
    community,
    gridCode: toGridCode(community.code, 1 + Math.floor(random() * GRIDS_PER_COMMUNITY)),
    address,
    subject: `${community.name}${spot}${matter.name}`,
    content: `${opening}${address}附近${matter.name}，${pick(random, WISHES)}`,
  };
}

// Rare characters stand in real place names; 𠮷 needs four bytes in GB18030, 㐂 as well.
const SPOTS = [
  '东街',
  '西街',
  '南弄',
  '北弄',
  '菜场旁',
  '小学门口',
  '公园路',
  '桥堍',
  '𠮷庆里',
  '㐂宁巷',
  '沿河路',
  '停车场',
];
const OPENINGS = ['市民来电反映，', '市民反映，', '来电人称，', '有居民反映，'];
const WISHES = [
  '影响居民通行，请核实处理。',
  '已有数日，请尽快处理。',
  '希望有关部门到现场查看。',
  '存在安全隐患，请及时处置。',
];
