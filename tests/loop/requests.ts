// The requests that are replayed: the real ones where they are, else made-up ones in their columns.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ROOT } from '../support/hub.ts';

const REAL_FILE = resolve(ROOT, '..', 'shared', 'data', 'la311', 'requests_10000.csv');
/** What their columns mean. */
export const MAPPING = join(ROOT, 'tests', 'replay', 'la311.mapping.json');
const HEADER = 'srnumber,requesttype,createddate,requestsource,address,nc,status,owner';
const TYPES = ['Bulky Items', 'Graffiti Removal', 'Illegal Dumping Pickup', 'Dead Animal Removal'];

export interface Requests {
  readonly file: string;
  readonly areReal: boolean;
}

/** @param folder where a file is written when it has to be */
export function findRequests(folder: string, count: number): Requests {
  if (existsSync(REAL_FILE)) return { file: REAL_FILE, areReal: true };
  console.warn(`The real requests are not there, made-up ones stand in: ${REAL_FILE}`);
  const lines = Array.from({ length: count }, (_, n) => madeUp(n, timeOf(Math.floor(n / 3))));
  return { file: write(folder, [HEADER, ...lines]), areReal: false };
}

/** The same requests, one each minute: replayed at 60 times N, they come at N a second. */
export function evenly(folder: string, { file }: Requests, count: number): string {
  const [header = '', ...lines] = readFileSync(file, 'utf8').trim().split('\n');
  const column = header.split(',').indexOf('createddate');
  const before = Array.from({ length: column }, () => '[^,]*').join(',');
  const pattern = new RegExp(`^(${before},)[^,]*`);
  const chosen = lines.filter((line) => pattern.test(line)).slice(0, count);
  return write(folder, [header, ...chosen.map((line, n) => line.replace(pattern, `$1${timeOf(n)}`))]);
}

function write(folder: string, lines: readonly string[]): string {
  const file = join(folder, 'requests.csv');
  writeFileSync(file, `${lines.join('\n')}\n`);
  return file;
}

function madeUp(n: number, time: string): string {
  return `T-${n},${TYPES[n % TYPES.length]},${time},Call,"${n} W VANOWEN ST",${n % 99},Open,BOS`;
}

function timeOf(minute: number): string {
  const [day, inDay] = [Math.floor(minute / 1_440) + 1, minute % 1_440];
  return `1/${day}/20 ${Math.floor(inDay / 60)}:${String(inDay % 60).padStart(2, '0')}`;
}

/** How long the first `count` requests last at a speed, in milliseconds. */
export function lastsMs(file: string, count: number, speed: number): number {
  const times = readFileSync(file, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const found = /,(\d+)\/(\d+)\/(\d+) (\d+):(\d+)/.exec(line)?.slice(1).map(Number);
      if (found === undefined) return [];
      const [month = 1, day = 1, year = 0, hour = 0, minute = 0] = found;
      return [Date.UTC(2_000 + year, month - 1, day, hour, minute)];
    })
    .sort((a, b) => a - b)
    .slice(0, count);
  return ((times.at(-1) ?? 0) - (times[0] ?? 0)) / speed;
}
