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

const GIVEN = { url: 'http://10.0.0.1:8081', config: "it's/relay.yaml" };
const CONFIG = String.raw`--config 'it'\''s/relay.yaml'`;

const DESTINATION: DestinationAnswer = {
  name: 'acme-aep',
  state: 'flowing',
  otherReplicas: [],
  inFlight: 0,
  concurrency: { used: 0, limit: 8 },
  lastAnswers: {},
  pending: 1,
};

function advice(state: string, reason: string, detail: string): string {
  return adviceFor(PENDING, { ...DESTINATION, state, reason, detail }, GIVEN);
}

describe('the advice about an event that waits for its destination', () => {
  it.each([
    ['paused', 'ims-invalid_client', /a current secret into .*ims\.clientSecrets; .*tried at once/],
    ['paused', 'ims-refused', /proxy/],
    ['waiting', 'ims-network', /DNS, the firewall and the proxy/],
    ['paused', 'unauthorized', /refuses new tokens, too.* role/],
    ['paused', 'forbidden', /refuses new tokens, too.* role/],
    ['paused', 'proxy-refused', /proxy does not let the relay through.*egress\.proxy/],
    ['waiting', 'proxy-failing', /The proxy cannot be reached, or cannot reach Adobe/],
    ['paused', 'foreign-answer', /Something other than Adobe answers/],
    ['waiting', 'failing', /can be a proxy, a firewall or DNS/],
    ['paused', 'inlet-not-found', /Copy inletUrl again/],
    ['paused', 'wrong-ims-org', /Compare imsOrgId/],
  ])('%s, %s: says what the cause is and what to do', (state, reason, expected) => {
    const text = advice(state, reason, 'the words of the other side');
    expect(text).toContain(`acme-aep is ${state} (${reason}). Last error: the words of the other side`);
    expect(text).toMatch(expected);
    expect(text).toContain('capillary-relay destinations resume acme-aep');
  });

  it.each([
    ['flowing', undefined],
    ['paused', 'operator'],
    ['waiting', 'failing'],
  ])('%s: nobody delivers an event whose source sends elsewhere now', (state, reason) => {
    const destination = { ...DESTINATION, state, ...(reason === undefined ? {} : { reason }) };
    const misplaced = { ...PENDING, sourceConfigured: true, sourceDestination: 'new-aep' };
    const text = adviceFor(misplaced, destination, GIVEN);
    expect(text).toContain('Nobody delivers it');
    expect(text).toContain(`capillary-relay destinations reroute --source acme --url ${GIVEN.url} ${CONFIG}`);
    expect(text).not.toMatch(/Nothing|resume/iu);
    expect(adviceFor(misplaced, undefined, GIVEN)).toBe(text);
    const placed = { ...misplaced, sourceDestination: 'acme-aep' };
    expect(adviceFor(placed, { ...DESTINATION, state: 'flowing' }, {})).toContain('it is queued');
  });

  it('ends the words of the other side with a full stop, and only one', () => {
    expect(advice('paused', 'forbidden', '403 no such role')).toContain('no such role. The relay retries');
    expect(advice('paused', 'forbidden', '403 No such role.')).toContain('No such role. The relay retries');
  });

  it.each([
    ['ims-invalid_client', 'x', `Find the cause: capillary-relay check --connect ${CONFIG}`],
    ['failing', 'reset: read ECONNRESET', `Find the cause: capillary-relay check --connect ${CONFIG}`],
    ['forbidden', '403', `Find the cause: capillary-relay doctor ${CONFIG}`],
    ['inlet-not-found', '404', `Find the cause: capillary-relay doctor ${CONFIG}`],
  ])('%s, %s: names the command that finds the cause', (reason, detail, expected) => {
    expect(advice('paused', reason, detail).split('\n')).toContain(expected);
  });

  it.each([
    ['failing', '503 no capacity'],
    ['throttled', '429 slow down'],
    ['ims-unavailable', '503'],
  ])('%s, %s: there is nothing to find on this side', (reason, detail) => {
    const text = advice('waiting', reason, detail);
    expect(text).toContain('nothing to do but wait');
    expect(text).toContain(
      `See the last answers: capillary-relay destinations list --url ${GIVEN.url} ${CONFIG}\n`,
    );
    expect(text).not.toContain('Find the cause');
  });
});

describe('the advice about a malformed body', () => {
  const about = (detail: string): string =>
    adviceFor({ ...PENDING, state: 'malformed', reason: 'malformed', detail }, undefined, {});
  const { receipt } = PENDING;

  it.each(['not-json: syntax error at position 9', 'truncated: the body has 2 bytes, over server.bodyLimit'])(
    '%s: it cannot be replayed',
    (detail) => {
      const text = about(detail);
      expect(text).toContain('so it cannot be replayed');
      expect(text).toContain(`See its body: capillary-relay explain ${receipt} --body\n`);
      expect(text).toMatch(new RegExp(`\\nDiscard: capillary-relay dead-letters discard ${receipt}$`));
      expect(text).not.toContain('Replay');
    },
  );

  it('wrong-org: says which key, then reload and replay', () => {
    const text = about('wrong-org: orgId is not one of the orgIds of this source');
    expect(text).toContain('sources[acme].orgIds');
    expect(text).toContain(
      `Reload: capillary-relay reload\nReplay: capillary-relay dead-letters replay ${receipt}\n`,
    );
  });

  it('not-an-event: a newer version may read it', () => {
    const text = about('not-an-event: there is no eventName');
    expect(text).toContain('a newer version of the relay may read it');
    expect(text).toContain(`Replay: capillary-relay dead-letters replay ${receipt}`);
    expect(text).not.toContain('orgIds');
    expect(about('not-an-event: there is no orgId')).toContain('sources[acme].orgIds');
  });

  it('is the same for an accepted event that can no longer be read', () => {
    const dead = { ...PENDING, state: 'dead', reason: 'wrong-org' };
    expect(adviceFor(dead, undefined, {})).toContain('sources[acme].orgIds');
  });
});

describe('the advice about a dead letter', () => {
  it('maps it again with the configuration that was given, or with that of the environment', () => {
    const dead = { ...PENDING, state: 'dead', reason: 'rejected' };
    const map = (given: object) => /capillary-relay map (.*)$/m.exec(adviceFor(dead, undefined, given))?.[1];
    expect(map({})).toBe('- --source acme');
    expect(map(GIVEN)).toBe(`- --source acme ${CONFIG}`);
  });

  it('names the reload between a change of the configuration and the replay', () => {
    for (const record of [
      { ...PENDING, state: 'dead', reason: 'mapping' },
      { ...PENDING, state: 'ignored', reason: 'unmapped' },
    ])
      expect(adviceFor(record, undefined, {})).toMatch(/\nReload: capillary-relay reload\nReplay: /);
  });
});

describe('the advice about a delivered event', () => {
  const delivered = (landing?: RecordAnswer['landing']): string =>
    adviceFor(
      { ...PENDING, state: 'delivered', ...(landing === undefined ? {} : { landing }) },
      undefined,
      GIVEN,
    );

  it.each([
    ['nothing compares it with AEP', undefined, /^Nothing: .*Monitoring\.$/],
    [
      'it has landed',
      { state: 'landed', since: '2026-01-31T09:00:00Z' } as const,
      /^Nothing: .*it has landed\.$/,
    ],
    [
      'it has not been compared yet',
      { state: 'unconfirmed' } as const,
      /^Nothing: .*reconcile --destination acme-aep /,
    ],
    [
      'it is in doubt',
      { state: 'unconfirmed', code: 'not-in-aep' } as const,
      /^Adobe accepted it, but .*reconcile --destination/,
    ],
  ])('if %s', (_, landing, expected) => {
    expect(delivered(landing)).toMatch(expected);
  });
});
