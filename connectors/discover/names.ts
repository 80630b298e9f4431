// Makes GraphQL names of whatever an old system calls its things.
import { pinyin } from 'pinyin-pro';

/** Names that a type may not have: GraphQL's own, Federation's, and those that the hub defines in every subgraph. */
const RESERVED_TYPES: readonly string[] = [
  'Query',
  'Mutation',
  'Subscription',
  'Int',
  'Float',
  'String',
  'Boolean',
  'ID',
  'DateTime',
  'Cursor',
  'Gap',
  'Resumable',
  '_Any',
  '_Entity',
  '_Service',
  'FieldSet',
  'Date',
  'Time',
  'JSON',
  'Upload',
];

const NAME_LENGTH_MAX = 60;
const HAN = /\p{Script=Han}+/gu;

/** The words of a name of any script: Chinese as pinyin, capitals and marks as borders between words. */
function wordsOf(old: string): readonly string[] {
  const latin = old.replaceAll(
    HAN,
    (text) => ` ${pinyin(text, { toneType: 'none', type: 'array' }).join(' ')} `,
  );
  return latin
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/([a-z0-9])([A-Z])/g, '$1 $2')
    .replaceAll(/([A-Z]+)([A-Z][a-z])/g, '$1 $2')
    .split(/[^A-Za-z0-9]+/)
    .filter((word) => word !== '');
}

/** `站点编号` to `zhanDianBianHao`, `Order_No` to `orderNo`, `2nd` to `n2nd`. */
export function fieldName(old: string): string {
  const [first, ...rest] = wordsOf(old);
  if (first === undefined) return 'field';
  const name = lowerFirst(first) + rest.map(upperFirst).join('');
  return startsWithLetter(name, 'n').slice(0, NAME_LENGTH_MAX);
}

/** `order-item` to `OrderItem`. */
export function typeName(old: string): string {
  const name = wordsOf(old).map(upperFirst).join('');
  return startsWithLetter(name === '' ? 'Type' : name, 'T').slice(0, NAME_LENGTH_MAX);
}

/** `in progress` to `IN_PROGRESS`. */
export function enumValueName(old: string): string {
  const name = wordsOf(old).join('_').toUpperCase();
  const safe = startsWithLetter(name === '' ? 'EMPTY' : name, 'V').slice(0, NAME_LENGTH_MAX);
  return ['TRUE', 'FALSE', 'NULL'].includes(safe) ? `${safe}_` : safe;
}

/** `order-item` to `order-item`, `接处警` to `jie-chu-jing`: the name of a folder and of its secrets. */
export function systemName(old: string): string {
  const name = wordsOf(old).join('-').toLowerCase();
  return startsWithLetter(name === '' ? 'system' : name, 's').slice(0, NAME_LENGTH_MAX);
}

/** `order-item` to `ORDER_ITEM`. */
export function environmentName(system: string): string {
  return system.replaceAll('-', '_').toUpperCase();
}

/** Gives out names of which each stays one of its kind. */
export interface NamePool {
  /** `wanted`, or with a number behind it when that is taken. */
  take(wanted: string): string;
}

/** @param taken names that are never given out */
export function namePool(taken: Iterable<string> = []): NamePool {
  const used = new Set(taken);
  return {
    take(wanted) {
      let name = wanted;
      for (let next = 2; used.has(name); next += 1) name = `${wanted}${next}`;
      used.add(name);
      return name;
    },
  };
}

/** A pool for type names; those that the hub's graph has get the system's name before them. */
export function typePool(system: string, hubTypes: Iterable<string>): NamePool {
  const pool = namePool(RESERVED_TYPES);
  const foreign = new Set([...hubTypes, ...RESERVED_TYPES]);
  return { take: (wanted) => pool.take(foreign.has(wanted) ? `${typeName(system)}${wanted}` : wanted) };
}

function startsWithLetter(name: string, prefix: string): string {
  return /^[A-Za-z]/.test(name) ? name : `${prefix}${name}`;
}

function lowerFirst(word: string): string {
  return /^[A-Z0-9]+$/.test(word) ? word.toLowerCase() : word.charAt(0).toLowerCase() + word.slice(1);
}

function upperFirst(word: string): string {
  const rest = /^[A-Z0-9]+$/.test(word) ? word.slice(1).toLowerCase() : word.slice(1);
  return word.charAt(0).toUpperCase() + rest;
}
