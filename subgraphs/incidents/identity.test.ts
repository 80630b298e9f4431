import { describe, expect, it } from 'vitest';
import { fingerprintOf, incidentIdOf, isIncidentId } from './identity.ts';

describe('the id of an incident', () => {
  it('is the same for the same report, and a UUID of version 5', () => {
    const id = incidentIdOf('/systems/hotline', 'report:HotlineOrder:1');
    expect(id).toBe(incidentIdOf('/systems/hotline', 'report:HotlineOrder:1'));
    expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-5[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
    expect(isIncidentId(id)).toBe(true);
  });

  it('differs where source and number only look alike together', () => {
    const ids = [
      incidentIdOf('a', 'bc'),
      incidentIdOf('ab', 'c'),
      incidentIdOf('a","b', 'c'),
      incidentIdOf('a', 'b","c'),
    ];
    expect(new Set(ids).size).toBe(4);
  });

  it('is written in lower case alone, so that equal ids are equal text wherever they are compared', () => {
    const id = incidentIdOf('/systems/hotline', 'report:HotlineOrder:1');
    expect(isIncidentId(id.toUpperCase())).toBe(false);
  });

  it('never changes between versions: what was told before must be recognised', () => {
    expect(incidentIdOf('/systems/hotline', 'report:HotlineOrder:1')).toBe(
      'bc216222-d993-5284-8981-e76282ab5d94',
    );
  });
});

describe('a fingerprint', () => {
  it('is the same whatever the order of the keys, and another for another content', () => {
    expect(fingerprintOf({ a: 1, b: null })).toBe(fingerprintOf({ b: null, a: 1 }));
    expect(fingerprintOf({ a: 1 })).not.toBe(fingerprintOf({ a: 2 }));
  });
});
