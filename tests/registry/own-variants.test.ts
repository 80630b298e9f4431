// What the variants of the checkout offer of the project's own graph.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildApiSchema } from '@weft/schema/api-schema';
import { makeVariants } from '@weft/schema/registry-variants';
import { readVariants } from '@weft/subgraphs/registry/variants';
import { isObjectType } from 'graphql';
import { describe, expect, it } from 'vitest';

const SCHEMA = join(import.meta.dirname, '..', '..', 'schema');

describe('schema/variants.json', () => {
  const variants = readVariants(join(SCHEMA, 'variants.json'));
  const wanted = Object.entries(variants).map(([name, filter]) => ({ name, filter, isServed: true }));
  const made = makeVariants(readFileSync(join(SCHEMA, 'supergraph.graphql'), 'utf8'), wanted);
  const fieldsOf = (variant: string, name: string) => {
    const type = buildApiSchema(made.supergraphs[variant] ?? '').getType(name);
    return isObjectType(type) ? Object.keys(type.getFields()) : [];
  };

  it('makes each of them, and names no tag that nothing has', () => {
    expect(made).toMatchObject({ lost: [], hints: [] });
    expect(Object.keys(made.supergraphs)).toEqual(['public', 'staff', 'auditor', 'department']);
  });

  it('shows the public divisions and departments, and nothing else', () => {
    expect(fieldsOf('public', 'Query').sort()).toEqual([
      'department',
      'departments',
      'division',
      'divisions',
    ]);
    expect(fieldsOf('public', 'Department')).toEqual(['code', 'name', 'fullName']);
    expect(fieldsOf('public', 'Mutation')).toEqual([]);
  });

  it('keeps the trail from staff and departments, the inbox of centres from departments, and changes from auditors', () => {
    for (const variant of ['staff', 'department'])
      expect(fieldsOf(variant, 'Query')).not.toEqual(expect.arrayContaining(['trace']));
    expect(fieldsOf('staff', 'Query')).toContain('centreInbox');
    expect(fieldsOf('department', 'Query')).not.toContain('centreInbox');
    expect(fieldsOf('department', 'Mutation')).toContain('reportIncident');
    expect(fieldsOf('auditor', 'Query')).toEqual(expect.arrayContaining(['trace', 'registryAudit']));
    expect(fieldsOf('auditor', 'Mutation')).toEqual([]);
  });
});
