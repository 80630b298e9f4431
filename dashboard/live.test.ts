// The live page's data: what a row says and which rows there are.
import { describe, expect, test } from 'vitest';
import { describeMissing, failuresBelow } from './public/live/failures.js';
import { type Incident, IncidentFeed } from './public/live/incident-feed.js';
import { describeTrouble } from './public/live/trouble.js';

function incident(id: string, title = id): Incident {
  return {
    id,
    title,
    stateLabel: '待受理',
    reportedAt: '2026-11-22T08:00:00+08:00',
    address: null,
    division: null,
    hotlineOrder: null,
    grid: null,
    policeCase: null,
  };
}

const read = (...incidents: readonly Incident[]) =>
  incidents.map((entry) => ({ incident: entry, failures: [] }));
const ids = (feed: IncidentFeed) => feed.rows().map((row) => row.incident.id);

describe('the feed', () => {
  test('puts the newest event on top and lets go of the oldest row beyond its bound', () => {
    const feed = new IncidentFeed(3);
    for (const id of ['1', '2', '3', '4']) feed.applyEvent(incident(id), []);
    expect(ids(feed)).toEqual(['4', '3', '2']);
  });

  test('moves a row to the top when its incident changes again, and keeps it once', () => {
    const feed = new IncidentFeed(3);
    for (const id of ['1', '2', '1']) feed.applyEvent(incident(id), []);
    expect(ids(feed)).toEqual(['1', '2']);
  });

  test('never overwrites an event that arrived while a read was on its way', () => {
    const feed = new IncidentFeed(10);
    feed.applyEvent(incident('2', 'old'), []);
    const askedAtRevision = feed.revision;
    feed.applyEvent(incident('3', 'live'), []);
    feed.applyRead(
      read(incident('3', 'read'), incident('2', 'read'), incident('1', 'read')),
      askedAtRevision,
    );
    expect(feed.rows().map((row) => `${row.incident.id} ${row.incident.title}`)).toEqual([
      '3 live',
      '2 read',
      '1 read',
    ]);
  });

  test('keeps rows that a read does not reach below those that it brings', () => {
    const feed = new IncidentFeed(10);
    feed.applyEvent(incident('1'), []);
    feed.applyRead(read(incident('9'), incident('8')), feed.revision);
    expect(ids(feed)).toEqual(['9', '8', '1']);
  });
});

describe('a missing value', () => {
  const errors = [
    {
      message: 'no answer',
      path: ['incidentChanged', 'incident', 'policeCase'],
      extensions: { code: 'UPSTREAM_UNAVAILABLE', system: 'police' },
    },
  ];
  const base = ['incidentChanged', 'incident'];

  test('names the system that did not answer', () => {
    expect(describeMissing(failuresBelow(errors, base), ['policeCase'])).toEqual({
      text: '—(公安 无应答)',
      failed: true,
    });
  });

  test('is a plain dash when nobody failed', () => {
    expect(describeMissing(failuresBelow(errors, base), ['grid'])).toEqual({ text: '—', failed: false });
    expect(describeMissing(failuresBelow(undefined, base), ['policeCase'])).toEqual({
      text: '—',
      failed: false,
    });
  });

  test('takes the failure of what holds it, and not that of another row', () => {
    const inList = [
      {
        message: '',
        path: ['incidents', 'edges', 3, 'node', 'grid'],
        extensions: { code: 'DEADLINE_EXCEEDED', system: 'grid' },
      },
    ];
    const row = (index: number) => failuresBelow(inList, ['incidents', 'edges', index, 'node']);
    expect(describeMissing(row(3), ['grid', 'worker']).text).toBe('—(网格 应答超时)');
    expect(describeMissing(row(4), ['grid', 'worker']).text).toBe('—');
  });

  test('of a whole event is told by an error above it', () => {
    const above = [
      { message: '', path: ['incidentChanged'], extensions: { code: 'SOMETHING_NEW', system: 'incidents' } },
    ];
    expect(describeMissing(failuresBelow(above, base), ['title']).text).toBe('—(事件库 出错 SOMETHING_NEW)');
  });
});

describe("a system's trouble", () => {
  test.each([
    ['cannot be reached (ECONNREFUSED)', '连接不上（拒绝连接）'],
    ['cannot be reached (EPROTO)', '连接不上（EPROTO）'],
    ['DEADLINE_EXCEEDED at QueryCaseBatch', '应答超时'],
    ['UPSTREAM_INVALID at GET /orders', '应答无法识别'],
    ['connectors stopped', '服务已停止'],
    ['nobody has told of it for 61 s', '已 61 秒没有消息'],
    ['the cursor of a poll is neither a time nor a number', '出现故障'],
  ])("'%s' reads %s", (reason, expected) => {
    expect(describeTrouble(reason)).toBe(expected);
  });
});
