import { describe, expect, test } from 'vitest';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { mergedWebhook, newWebhook, wantedOf } from '../../../src/cli/register/wanted-webhook.ts';
import { changesOf } from '../../../src/cli/register/webhook-changes.ts';
import { matchWebhook } from '../../../src/cli/register/webhook-match.ts';
import { RECOMMENDED_EVENTS } from '../../../src/capillary/recommended-events.ts';
import { exactWebhook, WANTED, webhookOf } from './webhook-rig.ts';

function changesWith(object: JsonObject) {
  return changesOf(exactWebhook(object), WANTED);
}

describe('the changes of a webhook', () => {
  test('are none if it is as configured, in whatever order', () => {
    expect(changesWith({})).toEqual([]);
    expect(changesWith({ eventNames: ['pointsIssued', 'customerAdded'] })).toEqual([]);
    expect(changesWith({ customerIdentifiersToBeEnriched: ['WeChat', 'CardNumbers', 'instore'] })).toEqual(
      [],
    );
    expect(
      changesWith({ webHookHeaders: { 'x-relay-key': WANTED.header.value, 'Content-Type': 'x' } }),
    ).toEqual([]);
  });

  test.each<[string, JsonObject, object]>([
    ['active', { active: false }, { now: 'false', wanted: 'true' }],
    [
      'webHookUrl',
      { webHookUrl: 'https://old.example.com/' },
      { now: 'https://old.example.com/', wanted: WANTED.url },
    ],
    ['methodType', { methodType: 'PUT' }, { now: 'PUT', wanted: 'POST' }],
    ['maxAllowedConnections', { maxAllowedConnections: 5 }, { now: '5', wanted: '10' }],
    [
      'tillDetailsEnrichmentEnabled',
      { tillDetailsEnrichmentEnabled: false },
      { now: 'false', needsTicket: true },
    ],
    [
      'storeDetailsEnrichmentEnabled',
      { storeDetailsEnrichmentEnabled: null },
      { now: 'absent', needsTicket: true },
    ],
    [
      'customerIdentifiersToBeEnriched',
      { customerIdentifiersToBeEnriched: ['WeChat', 'Instore'] },
      { now: 'WeChat, Instore', wanted: 'add cardnumbers' },
    ],
    ['webHookHeaders.X-Relay-Key', { webHookHeaders: {} }, { now: 'absent', wanted: 'the configured value' }],
    ['webHookHeaders.X-Relay-Key', { webHookHeaders: { 'X-Relay-Key': 'other' } }, { now: 'another value' }],
    [
      'webHookHeaders.X-Relay-Key',
      { webHookHeaders: { 'X-Relay-Key': WANTED.header.value, 'x-relay-key': 'other' } },
      { now: '2 times', wanted: 'once' },
    ],
  ])('%s', (field, object, expected) => {
    expect(changesWith(object)).toEqual([expect.objectContaining({ field, ...expected })]);
  });

  test('name the events that are missing and those that are additional', () => {
    expect(changesWith({ eventNames: ['customerAdded', 'badgeEarned'] })).toEqual([
      {
        field: 'eventNames',
        now: '2 events',
        wanted: 'add pointsIssued; remove badgeEarned',
        missing: ['pointsIssued'],
        additional: ['badgeEarned'],
      },
    ]);
  });

  test('never show a value of a header', () => {
    const all = JSON.stringify(
      changesWith({ webHookHeaders: { 'X-Relay-Key': 'old-value' }, eventNames: ['a'] }),
    );
    expect(all).not.toContain('old-value');
    expect(all).not.toContain(WANTED.header.value);
  });
});

describe('the object of a PUT', () => {
  const foreign = {
    webHookHeaders: { 'x-relay-key': 'old', Authorization: 'Basic abc' },
    neoEnrichment: { label: 'flow', value: '1' },
    listenToChildEvents: true,
    slaInSeconds: 60,
    awardedReferenceEnrichmentEnabled: true,
    availablePointsBalanceEnrichmentEnabled: true,
    noOfRetryAttempts: 0,
    fieldOfTheFuture: { kept: true },
    customerIdentifiersToBeEnriched: ['WebEngage'],
  };

  test('keeps what the relay does not manage, and leaves out null and what Capillary assigns', () => {
    const found = webhookOf({
      ...newWebhook(WANTED),
      ...foreign,
      active: false,
      nothing: null,
      consumerGroupId: 'g',
      attribution: { createdOn: 1 },
      possibleValues: [],
    });
    expect(mergedWebhook(found, WANTED)).toEqual({
      ...newWebhook(WANTED),
      ...foreign,
      webHookHeaders: { Authorization: 'Basic abc', 'X-Relay-Key': WANTED.header.value },
      customerIdentifiersToBeEnriched: ['WebEngage', 'Instore', 'cardnumbers'],
    });
  });

  test('keeps the name, and leads to no further changes', () => {
    const found = exactWebhook({ ...foreign, name: 'by-hand', methodType: 'PUT', eventNames: ['x'] });
    const merged = mergedWebhook(found, WANTED);
    expect(merged['name']).toBe('by-hand');
    expect(changesOf(webhookOf(merged), WANTED)).toEqual([]);
  });
});

test('the wanted events are those of the list, each once, or the recommended ones', () => {
  const config = { ...WANTED, events: ['a', 'b', 'a'] };
  expect(wantedOf(config).eventNames).toEqual(['a', 'b']);
  expect(wantedOf({ ...config, events: 'recommended' }).eventNames).toEqual(RECOMMENDED_EVENTS);
});

describe('the webhook is found', () => {
  const other = exactWebhook({ name: 'other', webHookUrl: 'https://other.example.com/' }, 'other');
  const named = exactWebhook({ webHookUrl: 'https://old.example.com/' }, 'named');
  const sameUrl = exactWebhook({ name: 'by-hand' }, 'same-url');

  test('by its name, whatever its URL, also if it is inactive', () => {
    const inactive = exactWebhook({ active: false }, 'inactive');
    expect(matchWebhook([other, sameUrl, named], WANTED)).toEqual({
      kind: 'found',
      by: 'name',
      webhook: named,
      others: [sameUrl],
    });
    expect(matchWebhook([inactive], WANTED)).toMatchObject({
      kind: 'found',
      by: 'name',
      webhook: inactive,
      others: [],
    });
  });

  test('else by its URL, if it is active', () => {
    expect(matchWebhook([other, sameUrl], WANTED)).toEqual({
      kind: 'found',
      by: 'url',
      webhook: sameUrl,
      others: [],
    });
    expect(matchWebhook([exactWebhook({ name: 'retired', active: false })], WANTED)).toEqual({
      kind: 'none',
    });
    expect(matchWebhook([other], WANTED)).toEqual({ kind: 'none' });
  });

  test('not if it is unclear which one it is', () => {
    const second = exactWebhook({ name: 'second' }, 'second');
    expect(matchWebhook([sameUrl, second], WANTED)).toMatchObject({
      kind: 'unclear',
      why: expect.stringContaining('by-hand, second'),
    });
    expect(matchWebhook([exactWebhook({ webHookType: 'QUEUE_INT' })], WANTED)).toMatchObject({
      kind: 'unclear',
      why: expect.stringContaining('QUEUE_INT'),
    });
    expect(matchWebhook([exactWebhook({ name: 'internal', webHookType: 'INTERNAL' })], WANTED)).toEqual({
      kind: 'none',
    });
  });
});
