import { describe, expect, test } from 'vitest';
import type { DeliveryRow } from '../../../src/capillary/api/delivery-log.ts';
import { parseEvent } from '../../../src/capillary/event-parser.ts';
import { SAMPLE_EVENT_ID } from '../../../src/capillary/event.ts';
import { loggedEventOf } from '../../../src/reconciliation/capillary/logged-event.ts';

const ORG = 100_737;
const RULES = { orgIds: [ORG], timezone: 'Asia/Kolkata' };
const EVENT_ID = '3c1f0a52-7a54-4e4a-9d3c-5b2f0e6a0001';
const ATTRIBUTES = {
  createdAt: 1_790_848_800_071,
  data: { customerIdentifiers: { customerId: 610_200_345 }, amount: 12.5 },
  eventName: 'customerUpdated',
  orgId: ORG,
  refId: `${ORG}_610200345`,
  apiRequestId: 'a1',
};

function aRow(changes: Partial<DeliveryRow>): DeliveryRow {
  return {
    id: '68f0',
    eventId: EVENT_ID,
    eventName: 'customerUpdated',
    orgId: ORG,
    status: 'FAIL',
    searchValue: '610200345',
    retryCount: 10,
    message: '',
    requestId: 'a1',
    ...changes,
  };
}

function wrapperOf(attributes: object, eventId: unknown = EVENT_ID): string {
  return JSON.stringify({
    eventId,
    eventType: `${ORG}_customerUpdated`,
    actionType: 'START',
    timeStamp: 1_790_848_800_078,
    attributes,
  });
}

function identityOf(body: string): string {
  const parsed = parseEvent(Buffer.from(body), RULES);
  if (!parsed.ok) throw new Error(parsed.detail);
  return parsed.event.identity;
}

describe('the identity of an event in the log is that of the webhook', () => {
  const posted = JSON.stringify({ ...ATTRIBUTES, eventId: EVENT_ID });
  const { orgId: _orgId, ...withoutOrg } = ATTRIBUTES;

  test.each([
    ['the body that was posted', posted, { body: posted }],
    ['the wrapper', posted, { body: wrapperOf(ATTRIBUTES) }],
    ['a wrapper without the id of the event', posted, { body: wrapperOf(ATTRIBUTES, null) }],
    ['a wrapper whose organisation is in its name only', posted, { body: wrapperOf(withoutOrg) }],
    ['an unreadable body and the wrapper', posted, { body: '{"eventName":', wrapper: wrapperOf(ATTRIBUTES) }],
    ['no payload', posted, {}],
    ['an unreadable payload', posted, { body: '{"eventName":' }],
    ['a row that names the organisation with the event', posted, { eventName: `${ORG}_customerUpdated` }],
  ])('with %s', (_what, sent, row) => {
    expect(loggedEventOf(aRow(row), RULES).identities).toContain(identityOf(sent));
  });

  test.each([
    ['none', undefined],
    ['a placeholder', '{{eventId}}'],
  ])('where the webhook had %s for an id', (_what, eventId) => {
    const sent = JSON.stringify(eventId === undefined ? ATTRIBUTES : { ...ATTRIBUTES, eventId });
    for (const row of [{ body: sent }, { body: wrapperOf(ATTRIBUTES) }])
      expect(loggedEventOf(aRow(row), RULES).identities).toContain(identityOf(sent));
  });

  test('differs for another event', () => {
    const other = identityOf(JSON.stringify({ ...ATTRIBUTES, refId: 'other', eventId: undefined }));
    expect(loggedEventOf(aRow({ body: wrapperOf(ATTRIBUTES) }), RULES).identities).not.toContain(other);
  });

  test('of a sample is that of its content', () => {
    const sample = JSON.stringify({ ...ATTRIBUTES, eventId: SAMPLE_EVENT_ID });
    const { identities } = loggedEventOf(aRow({ eventId: SAMPLE_EVENT_ID, body: sample }), RULES);
    expect(identities).toEqual([identityOf(sample)]);
  });
});

describe('what is taken from the log', () => {
  test('is the body, with all digits', () => {
    const body = `{"eventName":"x","orgId":${ORG},"eventId":"a1","data":{"id":12345678901234567890}}`;
    expect(loggedEventOf(aRow({ body }), RULES)).toMatchObject({ body });
  });

  test('is the wrapper with the id of the row, if it has none', () => {
    const { body = '' } = loggedEventOf(aRow({ body: wrapperOf(ATTRIBUTES, '') }), RULES);
    const parsed = parseEvent(Buffer.from(body), RULES);
    expect(parsed).toMatchObject({ ok: true, event: { eventId: EVENT_ID, orgId: ORG } });
    expect(identityOf(body)).toBe(identityOf(JSON.stringify({ ...ATTRIBUTES, eventId: EVENT_ID })));
  });

  test('is nothing without a payload', () => {
    const event = loggedEventOf(aRow({}), RULES);
    expect(event).not.toHaveProperty('body');
    expect(event.fault).toBe('the log has no payload of it');
  });

  test('is the payload with its fault if it is no event of the source', () => {
    const body = JSON.stringify({ ...ATTRIBUTES, orgId: 5 });
    expect(loggedEventOf(aRow({ body }), RULES)).toMatchObject({
      body,
      fault: 'orgId is not one of the orgIds of this source',
    });
  });
});
