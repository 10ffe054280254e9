import { describe, expect, it } from 'vitest';
import { serializeEnvelope } from '../../src/adobe/inlet/inlet-envelope.ts';
import type { JsonObject } from '../../src/capillary/json.ts';
import { parseState } from '../../src/mapping/customer/customer-state.ts';
import { buildProfileRecord } from '../../src/mapping/customer/profile-record.ts';
import { createNotes, type Notes } from '../../src/mapping/mapping-notes.ts';
import { shrinkEvent, shrinkProfile } from '../../src/mapping/record-size.ts';
import { textOf, type WrittenText } from '../../src/xdm/json-buffer.ts';
import { LARGE_EVENT_BYTES, MAX_EVENT_BYTES, MAX_PROFILE_BYTES } from '../../src/xdm/xdm-record.ts';
import { codesOf, contextOf, eventWith, messagesOf } from './mapping-rig.ts';

/** Characters of several scripts and the bytes that each takes in JSON. */
const SCRIPTS = [
  ['ASCII', 'a', 1],
  ['quotes', '"', 2],
  ['Thai', 'ก', 3],
  ['U+2028', '\u2028', 3],
  ['emoji', '🧺', 4],
  ['astral', '𠮷', 4],
  ['control characters', '\u0007', 6],
  ['half characters', '\ud800', 6],
] as const;

const HEAD = {
  _id: 'cap-0a1b',
  timestamp: '2026-11-06T10:00:00.000Z',
  eventType: 'loyalty.test',
  identityMap: { capillaryId: [{ id: '7', authenticatedState: 'ambiguous', primary: true }] },
};

/** The bytes of the record in the message that is sent. */
function sentBytes(entity: JsonObject): number {
  const flow = { schemaId: 'https://ns.adobe.com/acme/schemas/1', datasetId: 'd1', flowId: 'f1' };
  const target = { imsOrgId: '1A2B3C@AdobeOrg', flow, format: 'xdm' } as const;
  const empty = Buffer.byteLength(serializeEnvelope(target, {}, 1_794_000_000_000), 'utf8') - 2;
  return Buffer.byteLength(serializeEnvelope(target, entity, 1_794_000_000_000), 'utf8') - empty;
}

/** A record of exactly this many bytes, nearly all of them in this character. */
function recordOf(bytes: number, unit: string, width: number): JsonObject {
  const record = (text: string): JsonObject => ({ ...HEAD, commerce: { promotionID: text } });
  const room = bytes - sentBytes(record(''));
  return record(unit.repeat(Math.floor(room / width)) + 'a'.repeat(room % width));
}

type Shrink = (text: WrittenText, tenant: string | undefined, notes: Notes) => WrittenText;
function shrunkBy(shrink: Shrink, entity: JsonObject) {
  const notes = createNotes();
  const { json, bytes } = shrink(textOf(entity), '_acme', notes);
  const shrunk = JSON.parse(json) as JsonObject;
  expect(json).toBe(JSON.stringify(shrunk));
  expect(bytes).toBe(Buffer.byteLength(json));
  return { shrunk, notes: notes.list().map(({ code, path }) => `${code} ${path}`) };
}

describe.each([
  ['an event', shrinkEvent, MAX_EVENT_BYTES, ['near-limit xdmEntity']],
  ['a profile', shrinkProfile, MAX_PROFILE_BYTES, []],
] as const)('the size of %s in sent bytes', (_name, shrink, limit, atLimit) => {
  describe.each(SCRIPTS)('of %s', (_script, unit, width) => {
    it.each([-1, 0])('is complete at the limit %i', (more) => {
      const entity = recordOf(limit + more, unit, width);

      expect(sentBytes(entity)).toBe(limit + more);
      expect(shrunkBy(shrink, entity)).toEqual({ shrunk: entity, notes: atLimit });
    });

    it('loses a field at one byte more, and keeps its required fields', () => {
      const entity = recordOf(limit + 1, unit, width);

      expect(sentBytes(entity)).toBe(limit + 1);
      expect(shrunkBy(shrink, entity)).toEqual({ shrunk: HEAD, notes: ['shrunk commerce'] });
    });
  });
});

describe('an event near the limit', () => {
  it.each([
    [LARGE_EVENT_BYTES - 1, []],
    [LARGE_EVENT_BYTES, ['near-limit xdmEntity']],
  ])('of %i bytes', (bytes, notes) =>
    expect(shrunkBy(shrinkEvent, recordOf(bytes, 'ก', 3)).notes).toEqual(notes),
  );
});

describe('a bill of sixty lines', () => {
  it.each(SCRIPTS)('named in %s keeps as many as fit, exact to the byte', async (_script, unit) => {
    const name = `x${unit.repeat(1_000 / 2)}x`;
    const lineItems = Array.from({ length: 60 }, (_, index) => ({ itemCode: `SKU-${index}`, name, qty: 1 }));
    const mapped = await messagesOf(eventWith('transactionAdded', { billNumber: 'B-1', lineItems }));
    const { productListItems, ...rest } = mapped.event;
    const lines = productListItems as JsonObject[];
    const { transaction } = (rest['_acme'] as { capillary: { transaction: { lineItemsOmitted: number } } })
      .capillary;

    expect(transaction.lineItemsOmitted).toBe(60 - lines.length);
    expect(sentBytes(mapped.event)).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    expect(sentBytes({ ...mapped.event, productListItems: [...lines, lines[0] ?? {}] })).toBeGreaterThan(
      MAX_EVENT_BYTES,
    );
    expect(rest).toMatchObject({
      _id: mapped.id,
      timestamp: expect.stringMatching(/Z$/) as unknown,
      eventType: 'commerce.purchases',
      identityMap: { capillaryId: [{ id: '518200431', primary: true }] },
    });
    expect(codesOf(mapped)).toContain('shrunk productListItems');
  });
});

describe('the longest values of all required fields', () => {
  it.each(['"', '字', '🧺'])('fit in %s', async (unit) => {
    const id = unit.repeat(1_024 / unit.length);
    const event = eventWith(unit.repeat(200 / unit.length), {
      customerIdentifiers: { instore: { externalId: id, cardNumbers: [`1${id}`.slice(0, 1_024)] } },
      firstName: unit.repeat(500),
    });
    const identity = { primary: 'externalId', namespaces: { externalId: 'loyaltyId', cardNumber: 'card' } };
    const mapped = await messagesOf(event, contextOf({ destination: { identity } }));

    expect(sentBytes(mapped.event)).toBeLessThanOrEqual(MAX_EVENT_BYTES);
    expect(mapped.event).toMatchObject({
      _id: mapped.id,
      eventType: `loyalty.${event.eventName}`,
      identityMap: { loyaltyId: [{ id, primary: true }] },
    });
  });

  it('leave a profile its primary identity if twenty identities are too large', () => {
    const ids = Array.from({ length: 20 }, (_, index) => `${index}${'\u0007'.repeat(1_000)}`);
    const state = JSON.stringify({
      'identityMap.card': { value: ids, at: 1 },
      'identityMap.crm': { value: ['5'], at: 1 },
    });
    const { source, destination, programs } = contextOf({
      destination: {
        identity: { primary: 'customerId', namespaces: { customerId: 'crm', cardNumber: 'card' } },
      },
    });
    const context = { source, destination, programs: programs.of(1) };
    const { entity, notes } = buildProfileRecord(parseState(state), 'a', context);

    expect(entity['identityMap']).toEqual({
      crm: [{ id: '5', authenticatedState: 'ambiguous', primary: true }],
    });
    expect(notes.map(({ code }) => code)).toEqual(['too-many-identities', 'shrunk', 'shrunk']);
  });
});
