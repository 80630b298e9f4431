import { describe, expect, it } from 'vitest';
import { MATTER_DIRECTORY, matterName } from './matters.ts';

describe('the directory of GB/T 47678.5-2026', () => {
  it('has 153 components and 250 matters with codes of five digits', () => {
    const { components, matters } = MATTER_DIRECTORY;
    expect(Object.keys(components)).toHaveLength(153);
    expect(Object.keys(matters)).toHaveLength(250);
    for (const [code, name] of [...Object.entries(components), ...Object.entries(matters)]) {
      expect(code).toMatch(/^\d{5}$/);
      expect(name).not.toBe('');
    }
  });

  it('names a matter, not the component of the same code', () => {
    expect(matterName('01001')).toBe('供水井盖异常');
  });

  it('names a code that the standard does not have 未知事项, a property of every object included', () => {
    expect(['99999', '', '__proto__', 'constructor'].map(matterName)).toEqual(Array(4).fill('未知事项'));
  });
});
