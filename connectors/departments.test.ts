import { OperatorError } from '@weft/core/errors';
import { expect, test } from 'vitest';
import { systemsByDepartment } from './departments.ts';
import type { DispatchPlan } from './plan.ts';

const dispatch = (department: string): DispatchPlan => ({
  department,
  numberKind: 'case',
  field: 'open',
  arguments: ['requestId'],
});

test('finds the system of each department', () => {
  const found = systemsByDepartment([
    { name: 'city', dispatches: [dispatch('urban-management'), dispatch('housing')] },
    { name: 'hotline' },
    { name: 'fire', dispatches: [dispatch('fire')] },
  ]);
  expect([...found].map(([department, { system }]) => [department, system])).toEqual([
    ['urban-management', 'city'],
    ['housing', 'city'],
    ['fire', 'fire'],
  ]);
});

test('refuses two systems for one department, and names both', () => {
  const two = [
    { name: 'city', dispatches: [dispatch('housing')] },
    { name: 'homes', dispatches: [dispatch('housing')] },
  ];
  expect(() => systemsByDepartment(two)).toThrow(OperatorError);
  expect(() => systemsByDepartment(two)).toThrow(/city and homes both serve the department housing/);
});
