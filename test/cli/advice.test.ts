import { describe, expect, it } from 'vitest';
import type { DestinationAnswer, RecordAnswer } from '../../src/cli/admin-answers.ts';
import { adviceFor } from '../../src/cli/explain/advice.ts';

const PENDING: RecordAnswer = {
  receipt: '0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01',
  source: 'acme',
  destination: 'acme-aep',
  state: 'pending',
  receivedAt: '2026-01-31T08:00:00.000Z',
  verifiedBy: 'test',
  failures: 0,
  delivered: [],
  replays: 0,
  bodyBytes: 10,
  timeline: [],
  notes: [],
  hasBody: true,
};

function advice(state: string, reason: string, detail: string): string {
  const destination: DestinationAnswer = {
    name: 'acme-aep',
    state,
    reason,
    detail,
    inFlight: 0,
    concurrency: { used: 0, limit: 8 },
    lastAnswers: {},
    pending: 1,
  };
  return adviceFor(PENDING, destination, '');
}

describe('the advice about an event that waits for its destination', () => {
  it.each([
    ['paused', 'ims-invalid_client', /a current secret into .*ims\.clientSecrets; .*tried at once/],
    ['paused', 'ims-refused', /proxy/],
    ['waiting', 'ims-network', /DNS, the firewall and the proxy/],
    ['paused', 'unauthorized', /refuses new tokens, too.* role/],
    ['paused', 'forbidden', /refuses new tokens, too.* role/],
    ['paused', 'foreign-answer', /Something other than Adobe answers/],
    ['waiting', 'failing', /points to a proxy, a firewall or DNS/],
  ])('%s, %s: says what the cause is and what to do', (state, reason, expected) => {
    const text = advice(state, reason, 'the words of the other side');
    expect(text).toContain(`acme-aep is ${state} (${reason}). Last error: the words of the other side`);
    expect(text).toMatch(expected);
    expect(text).toContain('capillary-relay destinations resume acme-aep');
  });
});
