import { expect, it } from 'vitest';
import { configSchema } from '../../src/config/config-schema.ts';
import { createPipeline } from '../../src/delivery/pipeline.ts';
import { createSuspectHistory } from '../../src/delivery/poison.ts';
import { type ClaimedEvent, StoreError } from '../../src/journal/journal.ts';
import { createProgramCatalogue } from '../../src/mapping/program-catalogue.ts';
import { relayConfig } from '../helpers/relay-process.ts';

const TARGETS = { imsUrl: 'http://127.0.0.1:1/token', inletUrl: 'http://127.0.0.1:1/collection/inlet' };

/** A pipeline whose events have no source, so that each is released. The first release fails. */
function setUp() {
  const released: (readonly string[])[] = [];
  const errors: string[] = [];
  const stopping = new AbortController();
  const unused = (): never => {
    throw new Error('not used');
  };
  const pipeline = createPipeline({
    destination: configSchema.parse({ ...relayConfig(TARGETS), store: {} }).destinations[0]!,
    mapping: () => ({ sources: new Map(), contacts: undefined, enrichers: new Map() }),
    journal: {
      profiles: unused,
      savePrograms: unused,
      append: unused,
      enrichments: unused,
      holds: unused,
      settle: unused,
      release: async (_token, receipts) => {
        if (errors.length === 0) throw new StoreError('disk full');
        released.push(receipts);
      },
    },
    programs: createProgramCatalogue(),
    observer: {
      eventsSettled: unused,
      errorCaught: (_destination, message) => errors.push(message),
    },
    batcher: { submit: unused },
    suspects: createSuspectHistory(),
    maxMessages: 10,
    now: Date.now,
    signal: stopping.signal,
    onWaitEnded: unused,
    onRecorded: unused,
    onEnded: () => undefined,
    afterTurn: () => undefined,
  });
  return { pipeline, released, errors, stopping };
}

function eventWith(receipt: string): ClaimedEvent {
  return { receipt, source: 'removed', body: Buffer.alloc(10) } as unknown as ClaimedEvent;
}

it('repeats a release that the store refuses, because the event would stay claimed', async () => {
  const { pipeline, released, errors } = setUp();
  pipeline.push('t', [eventWith('a')]);
  await pipeline.whenIdle();
  expect(errors).toEqual(['event a could not be released']);
  expect(released).toEqual([['a']]);
});

it('repeats the release of what is not begun, and no longer counts its bytes', async () => {
  const { pipeline, released } = setUp();
  pipeline.push(
    't',
    Array.from({ length: 1_000 }, (_, at) => eventWith(`e${at}`)),
  );
  expect(pipeline.waiting).toBeGreaterThan(0);
  pipeline.releaseWaiting();
  await pipeline.whenIdle();
  expect(released.flat()).toHaveLength(1_000);
  expect(pipeline.bytes).toBe(0);
});

it('gives up when the relay stops: claims end with the process', async () => {
  const { pipeline, released, stopping } = setUp();
  stopping.abort();
  pipeline.push('t', [eventWith('a')]);
  await pipeline.whenIdle();
  expect(released).toEqual([]);
});
