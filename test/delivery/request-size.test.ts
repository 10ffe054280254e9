import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { OutgoingMessage } from '../../src/delivery/outcome.ts';
import { takeNextBatch } from '../../src/delivery/batcher.ts';
import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import type { ClaimedEvent } from '../../src/journal/journal.ts';
import { contextOf } from '../mapping/mapping-rig.ts';
import { prepareOne } from './prepare-one.ts';

function message(json: string): OutgoingMessage {
  return {
    receipt: 'r',
    kind: 'event',
    json,
    bytes: Buffer.byteLength(json),
    isSuspect: false,
    source: 'acme',
    receivedAt: 0,
    ageMs: 0,
    isExpired: false,
  };
}

function waiting(json: string) {
  return { message: message(json), maxBatchSize: 1_000, owner: undefined, flushAt: 0 };
}

/** The body of the request, as the inlet client writes it. */
function bodyOf(batch: readonly { readonly message: OutgoingMessage }[]): string {
  return `{"messages":[${batch.map((one) => one.message.json).join(',')}]}`;
}

function limits(maxBytes: number) {
  return { maxBytes, maxMessages: 1_000, maxWait: 0 };
}

describe('the size of a request in bytes', () => {
  it.each(['a', 'ก', '\u2028', '🧺', '𠮷', '\u0007'])(
    'reaches the limit exactly with many messages of %j',
    (unit) => {
      const jsons = Array.from({ length: 40 }, (_, index) =>
        JSON.stringify({ index, text: unit.repeat(index) }),
      );
      const all = Buffer.byteLength(bodyOf(jsons.map(waiting)));

      expect(
        [all - 1, all, all + 1].map((maxBytes) => takeNextBatch(jsons.map(waiting), limits(maxBytes)).length),
      ).toEqual([39, 40, 40]);
    },
  );

  it('never exceeds the limit, unless a single message does', () => {
    const texts = fc.string({
      unit: fc.constantFrom('a', '"', 'ก', '\u2028', '🧺', '\ud800', '\u0000'),
      maxLength: 60,
    });
    fc.assert(
      fc.property(
        fc.array(texts, { minLength: 1 }),
        fc.integer({ min: 20, max: 2_000 }),
        (contents, maxBytes) => {
          const queue = contents.map((text) => waiting(JSON.stringify({ text })));
          const batches: (typeof queue)[] = [];
          while (queue.length > 0) batches.push(takeNextBatch(queue, limits(maxBytes)));

          expect(batches.flat()).toHaveLength(contents.length);
          const tooLarge = batches.filter(
            (batch) => batch.length > 1 && Buffer.byteLength(bodyOf(batch)) > maxBytes,
          );
          expect(tooLarge).toEqual([]);
        },
      ),
    );
  });
});

describe('one message', () => {
  const REQUEST_LIMIT = 1_000_000;
  /**
   * The largest message: a request with only this one stays below the limit, with some bytes to
   * spare.
   */
  const LARGEST = REQUEST_LIMIT - 101;
  const { destination, source } = contextOf({ destination: { format: 'raw' } });

  /** A raw event whose data has this text, prepared for delivery. */
  const prepared = (text: string) =>
    prepareOne(
      {
        body: Buffer.from(
          JSON.stringify({
            eventName: 'x',
            eventId: 'e',
            orgId: 1,
            data: { customerIdentifiers: { customerId: 1 }, text },
          }),
        ),
        orgId: 1,
        identity: 'a'.repeat(64),
        receipt: 'r',
        receivedAt: 1_794_000_000_000,
        idSuffix: '',
        delivered: [],
        failedAttempts: 0,
      } as unknown as ClaimedEvent,
      {
        now: 1_794_000_000_000,
        destination,
        source,
        programs: createProgramCatalogue(),
        journal: { profiles: () => Promise.resolve(new Map()) },
      } as never,
    );

  it.each(['a', 'ก', '🧺', '\u0007'])('fits or is unusable, exact to the byte, in %j', async (unit) => {
    const width = Buffer.byteLength(JSON.stringify(unit)) - 2;
    const empty = await prepared('');
    const room = LARGEST - (empty.kind === 'messages' ? (empty.messages[0]?.bytes ?? 0) : 0);
    const full = unit.repeat(Math.floor(room / width)) + 'a'.repeat(room % width);
    const fits = await prepared(full);

    expect(fits).toMatchObject({ kind: 'messages', messages: [{ bytes: LARGEST }] });
    const [only] = fits.kind === 'messages' ? fits.messages : [];
    expect(Buffer.from(only?.json ?? '', 'utf8')).toHaveLength(LARGEST);
    expect(Buffer.byteLength(bodyOf([{ message: only ?? message('') }]))).toBeLessThan(REQUEST_LIMIT);
    expect(await prepared(`${full}a`)).toMatchObject({ kind: 'unusable', reason: 'too-large' });
  });
});
