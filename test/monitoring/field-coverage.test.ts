import { describe, expect, it } from 'vitest';
import type { UnreadFields } from '../../src/mapping/mapping-result.ts';
import { createCoverage } from '../../src/monitoring/field-coverage.ts';

function event(eventName: string, more: object = {}) {
  return { source: 'acme', eventName, replays: 0, ...more };
}

function unread(
  fields: Record<string, string | number>,
  mapping: UnreadFields['mapping'] = 'own',
): UnreadFields {
  return {
    mapping,
    fields: new Map(Object.entries(fields)),
  };
}

describe('the count of unread fields', () => {
  it('is grouped by source, event name and path, with one masked example, most frequent first', () => {
    const coverage = createCoverage(() => 5);
    coverage.count(event('a'), unread({ 'data.x': 'Ann', 'data.y': 1 }));
    coverage.count(event('a'), unread({ 'data.y': 22 }));
    coverage.count(
      event('b'),
      unread({ 'data.x': 'Ann', 'data.y': 1, 'data.z': 'q', 'data.w': 4 }, 'generic'),
    );
    coverage.count(event('a', { source: 'beta' }), unread({}));

    expect(coverage.report({})).toEqual({
      since: 5,
      events: [
        {
          source: 'acme',
          eventName: 'b',
          mapping: 'generic',
          events: 1,
          fields: [
            { path: 'data.w', count: 1, example: '9' },
            { path: 'data.x', count: 1, example: 'Xxx' },
            { path: 'data.y', count: 1, example: '9' },
            { path: 'data.z', count: 1, example: 'x' },
          ],
          more: 0,
        },
        {
          source: 'acme',
          eventName: 'a',
          mapping: 'own',
          events: 2,
          fields: [
            { path: 'data.y', count: 2, example: '9' },
            { path: 'data.x', count: 1, example: 'Xxx' },
          ],
          more: 0,
        },
        { source: 'beta', eventName: 'a', mapping: 'own', events: 1, fields: [], more: 0 },
      ],
    });
  });

  it('excludes replays, which were counted before', () => {
    const coverage = createCoverage(() => 0);
    coverage.count(event('a', { replays: 1 }), unread({ 'data.x': 1 }));

    expect(coverage.report({}).events).toEqual([]);
  });

  it('can be filtered by source and event name', () => {
    const coverage = createCoverage(() => 0);
    for (const source of ['acme', 'beta'])
      for (const eventName of ['a', 'b']) coverage.count(event(eventName, { source }), unread({}));
    const chosen = (filter: object) =>
      coverage.report(filter).events.map(({ source, eventName }) => `${source} ${eventName}`);

    expect(chosen({ source: 'acme' })).toEqual(['acme a', 'acme b']);
    expect(chosen({ eventName: 'b' })).toEqual(['acme b', 'beta b']);
    expect(chosen({ source: 'beta', eventName: 'b' })).toEqual(['beta b']);
    expect(chosen({ source: 'gamma' })).toEqual([]);
  });

  it('limits names and paths, and counts the excess', () => {
    const coverage = createCoverage(() => 0);
    const fields = Object.fromEntries(Array.from({ length: 310 }, (_, at) => [`data.f${at}`, at]));
    for (let at = 0; at < 250; at += 1) coverage.count(event(`name${at}`), unread(fields));
    const { events } = coverage.report({});

    expect(events).toHaveLength(201);
    expect(events[0]).toMatchObject({ eventName: 'other', events: 50, more: 500 });
    expect(events[0]?.fields).toHaveLength(300);
    expect(events[1]).toMatchObject({ events: 1, more: 10 });
  });
});
