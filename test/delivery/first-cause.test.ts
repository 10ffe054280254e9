import { afterEach, describe, expect, it } from 'vitest';
import type { FaultRuleInput } from '../../src/simulator/adobe/fault-script.ts';
import { createDestinationDirectory } from '../../src/delivery/destination-directory.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type DeliveryHarness, startDeliveryHarness } from '../helpers/delivery-harness.ts';
import { until } from '../helpers/until.ts';

let harness: DeliveryHarness;
afterEach(() => harness.close());

/** No timer of the relay ends a wait during the test. */
async function start(): Promise<void> {
  harness = await startDeliveryHarness((config) => {
    const [destination] = config.destinations;
    destination!['retry'] = { minDelay: '1h', maxDelay: '1h' };
    destination!['batch'] = { maxMessages: 1, maxWait: '1ms' };
  });
}
function status() {
  return harness.destinations.get('acme-aep')!.dispatcher.state.status();
}
async function lastAnswers() {
  const directory = createDestinationDirectory(harness.destinations, harness.journal);
  return (await directory.list())[0]!.lastAnswers;
}
async function whenStopped() {
  await until(() => status().state !== 'flowing');
  return status();
}
/** Delivers one event, so that a token is cached. */
async function deliverOne(): Promise<void> {
  await harness.destinations.start();
  const { receipt } = await harness.accept(transactionAdded(0));
  await harness.whenSettled(receipt);
}

const WRONG_SECRET: FaultRuleInput = {
  on: 'ims',
  then: {
    status: 400,
    body: { error: 'invalid_client', error_description: 'invalid client_secret parameter' },
  },
};
const PAGE = '<html><body>Access denied by the proxy</body></html>';

describe('a token that the inlet refuses and IMS does not replace', () => {
  it.each([
    ['refuses the secret', WRONG_SECRET, 'paused', 'ims-invalid_client', 400],
    [
      'answers an unknown 4xx',
      { on: 'ims', then: { status: 403, body: PAGE } },
      'paused',
      'ims-refused',
      403,
    ],
    ['throttles', { on: 'ims', then: { status: 429, retryAfter: 60 } }, 'waiting', 'ims-throttled', 429],
    ['fails', { on: 'ims', then: { status: 503, retryAfter: 60 } }, 'waiting', 'ims-unavailable', 503],
  ] as const)(
    'stops the destination because IMS %s, with its words, and not because of the refusal',
    async (_what, fault, state, reason, imsStatus) => {
      await start();
      await deliverOne();
      harness.simulator.revokeTokens();
      harness.simulator.setFaults([fault]);
      // Several requests are in flight with the old token, and one of them asks for a new one.
      const sent = await Promise.all([1, 2, 3, 4, 5, 6].map((n) => harness.accept(transactionAdded(n))));
      expect(await whenStopped()).toMatchObject({ state, reason });
      await until(() => harness.destinations.get('acme-aep')!.dispatcher.inFlight === 0);
      expect(harness.stateChanges.map((change) => change.reason)).toEqual([reason]);
      const { inlet, ims } = await lastAnswers();
      expect(inlet).toMatchObject({
        status: 401,
        text: expect.stringContaining('Ims service token is not valid'),
      });
      expect(ims?.status).toBe(imsStatus);
      expect(status().detail).toBe(`IMS answered ${imsStatus}${ims?.text && `: ${ims.text}`}`);
      for (const { receipt } of sent) expect((await harness.record(receipt)).event.state).toBe('pending');
    },
  );

  it('shows the page of what answers in the place of IMS', async () => {
    await start();
    harness.simulator.setFaults([{ on: 'ims', then: { status: 403, body: PAGE } }]);
    await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    expect((await whenStopped()).detail).toContain(
      'IMS answered 403: an answer that is not of IMS: Access denied by the proxy',
    );
  });
});

it.each([
  ['unauthorized', { status: 401 }],
  ['forbidden', { status: 403 }],
  ['ip-not-allowed', { status: 403, body: '' }],
  ['foreign-answer', { status: 403, body: PAGE }],
] as const)('an inlet that refuses new tokens, too, pauses the destination: %s', async (reason, then) => {
  harness = await startDeliveryHarness();
  harness.simulator.setFaults([{ on: 'inlet', then }]);
  await harness.accept(transactionAdded(1));
  await harness.destinations.start();
  // The third probe is refused a token, because two new ones were refused by the inlet.
  await until(() => (status().nextTryAt ?? 0) > Date.now() + 2_000);
  expect(status()).toMatchObject({ state: 'paused', reason });
  expect(harness.stateChanges.map((change) => change.reason)).toEqual([reason]);
  expect((await lastAnswers()).ims).toMatchObject({ status: 200, text: expect.stringContaining('a token') });
});

describe('changed client secrets', () => {
  const stops: readonly (readonly [string, FaultRuleInput, reason: string])[] = [
    ['IMS refuses the old one', WRONG_SECRET, 'ims-invalid_client'],
    ['IMS throttles', { on: 'ims', then: { status: 429, retryAfter: 3_600 } }, 'ims-throttled'],
    ['IMS is unavailable', { on: 'ims', then: { status: 503, retryAfter: 3_600 } }, 'ims-unavailable'],
    ['the inlet refuses the token', { on: 'inlet', then: { status: 401 } }, 'unauthorized'],
    ['the inlet is forbidden', { on: 'inlet', then: { status: 403 } }, 'forbidden'],
    ['the inlet is unavailable', { on: 'inlet', then: { status: 503, retryAfter: 3_600 } }, 'failing'],
    ['the inlet throttles', { on: 'inlet', then: { status: 429, retryAfter: 3_600 } }, 'throttled'],
  ];
  it.each(stops)('are tried at once while %s', async (_what, fault, reason) => {
    await start();
    harness.simulator.setFaults([fault]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    expect(await whenStopped()).toMatchObject({ reason });
    await harness.whenSettledTimes(receipt, fault.on === 'ims' ? 0 : 1);
    await until(() => harness.destinations.get('acme-aep')!.dispatcher.inFlight === 0);
    expect(status().nextTryAt).toBeGreaterThan(Date.now() + 50_000);
    harness.simulator.setFaults([]);
    harness.replaceSecrets(['fixed']);
    expect((await harness.whenSettled(receipt)).state).toBe('delivered');
    expect(status().state).toBe('flowing');
  });

  it('that are equal to the old ones do not end a wait that Adobe asked for', async () => {
    await start();
    harness.simulator.setFaults([{ on: 'inlet', then: { status: 429, retryAfter: 3_600 } }]);
    const { receipt } = await harness.accept(transactionAdded(1));
    await harness.destinations.start();
    await harness.whenSettledTimes(receipt, 1);
    harness.replaceSecrets(['secret']);
    expect(harness.destinations.get('acme-aep')!.dispatcher.state.permit()).toMatchObject({ kind: 'wait' });
  });
});

it.each(['0.001', '1'])('a Retry-After of %s s does not shorten the wait after a 503', async (retryAfter) => {
  await start();
  harness.simulator.setFaults([{ on: 'inlet', then: { status: 503, retryAfter } }]);
  const { receipt } = await harness.accept(transactionAdded(1));
  await harness.destinations.start();
  await harness.whenSettledTimes(receipt, 1);
  expect(status()).toMatchObject({ state: 'waiting', reason: 'failing' });
  expect(status().nextTryAt).toBeGreaterThan(Date.now() + 3_000_000);
  expect(harness.requests).toHaveLength(1);
});
