import { describe, expect, it } from 'vitest';
import { enumValueName, fieldName, namePool, systemName, typeName, typePool } from './names.ts';

describe('names', () => {
  it.each([
    ['Order_No', 'orderNo'],
    ['JJDBH', 'jjdbh'],
    ['站点编号', 'zhanDianBianHao'],
    ['PM2.5', 'pm25'],
    ['2nd floor', 'n2ndFloor'],
    ['GetHTTPStatus', 'getHttpStatus'],
    ['été', 'ete'],
    ['__typename', 'typename'],
    ['%%%', 'field'],
  ])('make %j a field %s', (old, name) => {
    expect(fieldName(old)).toBe(name);
  });

  it('make types, values and systems of the same words', () => {
    expect([typeName('order-item'), enumValueName('in progress'), systemName('接处警')]).toEqual([
      'OrderItem',
      'IN_PROGRESS',
      'jie-chu-jing',
    ]);
  });

  it('never make a value that GraphQL reads as something else', () => {
    expect(['true', 'null', '', '1'].map(enumValueName)).toEqual(['TRUE_', 'NULL_', 'EMPTY', 'V1']);
  });

  it('stay one of their kind', () => {
    const pool = namePool(['taken']);
    expect(['a', 'a', 'taken', 'a'].map((name) => pool.take(name))).toEqual(['a', 'a2', 'taken2', 'a3']);
  });

  it('get the system before them where the hub or GraphQL has them', () => {
    const pool = typePool('pets', ['Incident']);
    expect(['Incident', 'Query', 'Pet'].map((name) => pool.take(name))).toEqual([
      'PetsIncident',
      'PetsQuery',
      'Pet',
    ]);
  });
});
