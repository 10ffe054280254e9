import { expect, it, onTestFinished } from 'vitest';
import { createNotificationHook } from '../../../src/reconciliation/aep/notification-hook.ts';
import { withNotifiedBatches } from '../../../src/reconciliation/aep/notified-batches.ts';
import { createPendingBatches } from '../../../src/reconciliation/aep/pending-batches.ts';
import type { Reconciler } from '../../../src/reconciliation/reconcile-run.ts';
import { createPlatformClient } from '../../../src/adobe/platform/platform-client.ts';
import { createEgress } from '../../../src/http/egress.ts';
import { startServer } from '../../adobe/scripted-server.ts';
import { until } from '../../helpers/until.ts';
import { anEvent, aProfile, ORG } from '../../simulator/adobe/adobe-client.ts';
import { setUp } from '../../simulator/adobe/platform/flow-rig.ts';
import { CLIENT } from '../../simulator/adobe/platform/platform-client.ts';
import { acceptEvents, deliverEvents, deliverPending, failedLine, NEVER, setUpBatches } from './batch-rig.ts';

function aReconciler(): Reconciler<undefined> & { readonly isClosed: () => boolean } {
  let closed = false;
  return {
    name: 'aep',
    every: 1_000,
    run: async () => undefined,
    report: async () => undefined,
    close: async () => {
      closed = true;
    },
    isClosed: () => closed,
  };
}

/** The check of a rig, which reads what is notified. */
async function setUpNotified(isLeader = () => true) {
  const rig = await setUpBatches();
  const pending = createPendingBatches(rig.journal, 'aep');
  const errors: unknown[] = [];
  const inner = aReconciler();
  const whole = withNotifiedBatches(inner, {
    pending,
    check: rig.check,
    isLeader,
    onError: (error) => void errors.push(error),
    lookMs: 5,
    retryMs: 5,
  });
  onTestFinished(() => whole.close());
  const isEmpty = async () => (await pending.list()).length === 0;
  const notify = (batchId: string, datasetId = 'events-dataset') =>
    pending.add([{ batchId, datasetId, code: 'ing_load_failure' }]);
  return { ...rig, pending, notify, isEmpty, errors, whole, inner };
}

it('a batch that was notified is read at once, and forgotten', async () => {
  const { journal, fail, notify, isEmpty, stateOf, check, found } = await setUpNotified();
  const [sent] = await deliverEvents(journal, 1);
  fail('b1', [failedLine(sent!.id)]);
  await notify('b1');
  await until(isEmpty);
  expect(await stateOf(sent!.receipt)).toBe('refused-later');
  expect(await check.check(NEVER)).toMatchObject({ batches: 0 });
  // A notification that is sent again tells nothing new.
  await notify('b1');
  await until(isEmpty);
  expect(found).toHaveLength(1);
});

it('one that AEP does not show yet is tried again, and some times only', async () => {
  const { gateway, fail, notify, isEmpty, pending, found } = await setUpNotified();
  await notify('late');
  await until(() => gateway.requests.length >= 3);
  expect(await pending.list()).toHaveLength(1);
  fail('late', ['{}']);
  await until(isEmpty);
  expect(found).toHaveLength(1);
  await notify('never');
  await until(isEmpty);
  expect(gateway.requests.filter((path) => path.endsWith('/never'))).toHaveLength(10);
});

it('only the leader reads, and a closed reconciler no more', async () => {
  let isLeader = false;
  const { journal, fail, notify, isEmpty, stateOf, gateway, whole, inner } = await setUpNotified(
    () => isLeader,
  );
  const [one, two] = await deliverEvents(journal, 2);
  fail('b1', [failedLine(one!.id)]);
  fail('b2', [failedLine(two!.id)]);
  await notify('b1');
  expect(gateway.requests).toEqual([]);
  isLeader = true;
  await until(isEmpty);
  expect(await stateOf(one!.receipt)).toBe('refused-later');
  await whole.close();
  expect(inner.isClosed()).toBe(true);
  const before = gateway.requests.length;
  await notify('b2');
  await whole.close();
  expect(gateway.requests).toHaveLength(before);
});

it('a journal that fails is reported', async () => {
  const errors: unknown[] = [];
  const broken = new Error('disk');
  const whole = withNotifiedBatches(aReconciler(), {
    pending: { list: () => Promise.reject(broken), remove: async () => undefined },
    check: { checkBatch: async () => ({ state: 'absent' }) },
    isLeader: () => true,
    onError: (error) => void errors.push(error),
  });
  await until(() => errors.length > 0);
  await whole.close();
  expect(errors).toEqual([broken]);
});

/** The inlet of the simulator, its platform, and its notifications to a hook. */
async function setUpTwin() {
  const twin = await setUp({ validationDelayMs: 20 });
  const people = await twin.addFlow('profile');
  const client = createPlatformClient({
    url: twin.simulator.platformUrl,
    imsOrgId: ORG,
    sandbox: 'dev',
    clientId: CLIENT,
    tokens: { get: async () => ({ ok: true, token: twin.adobe.token }), reject: () => undefined },
  });
  onTestFinished(() => client.close());
  const datasets = {
    events: { schemaId: '', flowId: '', datasetId: twin.datasetId },
    profile: { schemaId: '', flowId: '', datasetId: people.datasetId, write: 'assemble' },
  } as const;
  const destination = { name: 'aep', format: 'xdm', ...datasets } as const;
  const rig = await setUpBatches({ destination, client });
  const reconcile = { notifications: { signingHost: twin.simulator.url, clientId: CLIENT } };
  const hook = createNotificationHook({
    running: {
      current: { destinations: [{ ...destination, imsOrgId: ORG, sandbox: 'dev', reconcile } as never] },
    },
    journal: rig.journal,
    egress: createEgress(undefined, {}),
    now: Date.now,
  });
  onTestFinished(() => hook.close());
  const outcomes: unknown[] = [];
  const server = await startServer(async ({ body, headers }, response) => {
    const outcome = await hook.receive({ body: Buffer.from(body), headers });
    outcomes.push(outcome);
    response.writeHead(outcome === 'refused' ? 401 : 200).end();
  });
  return { ...rig, twin, people, outcomes, hookUrl: server.origin };
}

it.each(['event', 'cloud'] as const)(
  'the simulator sends signed notifications in the form %s, and what it refused lands as a replay',
  async (form) => {
    const { journal, twin, people, hookUrl, outcomes, check, stateOf } = await setUpTwin();
    twin.simulator.notifications.set({ url: hookUrl, clientId: CLIENT, form });
    const pending = createPendingBatches(journal, 'aep');
    const whole = withNotifiedBatches(aReconciler(), {
      pending,
      check,
      isLeader: () => true,
      onError: () => undefined,
      lookMs: 5,
    });
    onTestFinished(() => whole.close());
    const [good, bad] = await acceptEvents(journal, 2);
    const at = Date.now();
    await twin.sendAll([
      twin.envelope(anEvent(good!.id)),
      twin.envelope(anEvent(bad!.id, 'tara-1', { nope: 'asha@example.org' })),
    ]);
    await twin.sendAll([
      twin.envelope(aProfile('tara-1', { _id: bad!.id, nope: 'x' }), {}, people),
      twin.envelope(aProfile('tara-2', { _id: good!.id }), {}, people),
    ]);
    await deliverPending(journal, ['event', 'profile'], at);
    await until(async () => (await stateOf(bad!.receipt)) === 'refused-later');
    await until(async () => (await journal.find(bad!.receipt))?.event.delivered.length === 0);
    expect(await stateOf(good!.receipt)).toBe('delivered');
    await until(() => outcomes.length >= 4);
    expect(outcomes.filter((outcome) => outcome === 'stored')).toHaveLength(2);
    expect(outcomes.filter((outcome) => outcome === 'ignored')).toHaveLength(2);
    expect((await journal.find(bad!.receipt))?.event.detail).not.toContain('asha');

    await journal.replay({ filter: { reason: 'refused-later' }, asNew: true, by: 'test' });
    await deliverPending(journal, ['event', 'profile']);
    const suffix = (await journal.find(bad!.receipt))?.event.idSuffix ?? '';
    await twin.send(twin.envelope(anEvent(`${bad!.id}${suffix}`)));
    await twin.settled();
    expect((await check.check(NEVER)).tally).toMatchObject({ refused: 0, unknown: 0 });
    expect(await stateOf(bad!.receipt)).toBe('delivered');
    expect(twin.simulator.lake(twin.datasetId).map(({ id }) => id)).toEqual([
      good!.id,
      `${bad!.id}${suffix}`,
    ]);
    await until(() => twin.simulator.notifications.sent().length >= 5);
    expect(twin.simulator.notifications.sent().every(({ statuses }) => statuses.length === 1)).toBe(true);
  },
);
