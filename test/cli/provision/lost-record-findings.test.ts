import { expect, it } from 'vitest';
import { serializeEnvelope } from '../../../src/adobe/inlet/inlet-envelope.ts';
import { reasonText } from '../../../src/adobe/platform/record-error-text.ts';
import type { JsonObject } from '../../../src/capillary/json.ts';
import { until } from '../../helpers/until.ts';
import { ORG, setUpByHand, tokensOf, type VerifyRig } from './verify-rig.ts';

async function send({ destination, simulator }: VerifyRig, entity: JsonObject): Promise<void> {
  const { inletUrl, events } = destination;
  const tokens = await tokensOf(simulator, 'client-1');
  const token = await tokens.get(AbortSignal.timeout(1_000));
  const body = serializeEnvelope({ imsOrgId: ORG, flow: events, format: 'xdm' }, entity, Date.now());
  const answer = await fetch(inletUrl, {
    method: 'POST',
    body,
    headers: {
      'content-type': 'application/json',
      'x-adobe-flow-id': events.flowId,
      authorization: token.ok ? `Bearer ${token.token}` : '',
    },
  });
  expect(answer.status).toBe(200);
}

function event(id: string, more: JsonObject): JsonObject {
  const identityMap = { capillaryId: [{ id: 'c-1', authenticatedState: 'ambiguous', primary: true }] };
  return { _id: id, timestamp: '2026-01-15T10:22:31.000Z', eventType: 'loyalty.test', identityMap, ...more };
}

async function batchFinding({ verify }: VerifyRig) {
  const findings = await verify({ now: Date.now() + 600_000 });
  return findings.find(({ check }) => check === 'event batches/main');
}

it('shows failed batches of the last day with counts and reasons, and no value of a record', async () => {
  const rig = await setUpByHand();
  await send(rig, event('e-1', { commerce: { order: { createdDate: 'asha@example.org' } } }));
  await send(rig, event('e-2', { commerce: { order: { priceTotal: 'much' } } }));
  await until(async () => (await batchFinding(rig))?.level === 'fail');
  const finding = await batchFinding(rig);
  expect(finding?.detail).toMatch(
    /^2 records lost in 2 failed batches in the last 24 hours, the newest \w+; no batch has landed since; /,
  );
  expect(finding?.detail).toContain('DCVS-1105-400');
  expect(finding?.detail).toContain('DCVS-1104-400');
  expect(finding?.detail).not.toContain('asha');
  expect(finding?.fix).toContain('send these events again');
  const runs = (await rig.verify()).find(({ check }) => check === 'event runs/main');
  expect(runs).toMatchObject({
    level: 'warn',
    detail: expect.stringContaining('2 of 2 runs of the dataflow failed'),
  });
});

it('is a warning once newer batches have landed', async () => {
  const rig = await setUpByHand();
  await send(rig, event('e-1', { commerce: { order: { priceTotal: 'much' } } }));
  await until(async () => (await batchFinding(rig))?.level === 'fail');
  await send(rig, event('e-2', {}));
  await until(async () => (await batchFinding(rig))?.level === 'warn');
  expect((await batchFinding(rig))?.detail).toContain('newer batches of the dataset have landed');
});

it('writes an error without the value that it is about', () => {
  const message = '[2026-13-01] is not a valid date-time. Expected [yyyy-MM-dd]';
  expect(reasonText({ code: 'DCVS-1105-400', message, pointer: '#/timestamp' })).toBe(
    'DCVS-1105-400 […] is not a valid date-time. Expected […] at #/timestamp',
  );
  expect(reasonText({ message: 'x', pointer: '#' })).toBe('x');
  expect(reasonText({ message: 'extraneous key [_acme] is not permitted' })).toContain('[_acme]');
});
