import { describe, expect, it } from 'vitest';
import type {
  DestinationAnswer,
  EventAnswer,
  ReplicaAnswer,
  SourceIntakeAnswer,
} from '../../src/cli/admin-answers.ts';
import { cutAtWord } from '../../src/cli/fitting-table.ts';
import { exitReasons, refusesEverything } from '../../src/cli/status/exit-reasons.ts';
import { webhookLines } from '../../src/cli/status/intake-lines.ts';
import { ratesOf, type Snapshot } from '../../src/cli/status/snapshot.ts';
import { wrapLine } from '../../src/cli/status/status-line.ts';
import { statusLines } from '../../src/cli/status/status-view.ts';

const WIDTH = 80;
const NOW = Date.UTC(2026, 0, 31, 8);
const LONG_NAME = `acme-${'loyalty-'.repeat(7)}`.slice(0, 62);

function ago(seconds: number): string {
  return new Date(NOW - seconds * 1_000).toISOString();
}

const HELD = { receivedAt: ago(120), reasons: ['header:mismatch'] };

function intakeOf(
  source: string,
  outcomes: Record<string, number>,
  more: Partial<SourceIntakeAnswer> = {},
): SourceIntakeAnswer {
  const refused = Object.entries(outcomes)
    .filter(([outcome]) => outcome !== 'accepted' && outcome !== 'duplicate')
    .reduce((sum, [, count]) => sum + count, 0);
  return { source, outcomes, refused, refusedInARow: 0, quarantined: 0, malformed: 0, ...more };
}

function intake(...sources: SourceIntakeAnswer[]) {
  return { minutes: 15, since: ago(890), sources, otherPaths: 0 };
}

function snapshot(more: Partial<Snapshot> = {}): Snapshot {
  const counts = {
    accepted: 1,
    pending: 1,
    delivered: 0,
    ignored: 0,
    dead: 0,
    malformed: 0,
    quarantined: 0,
    balanced: true,
  };
  return {
    at: 0,
    takenAt: NOW,
    health: { status: 'ok', checks: [{ name: 'journal', ok: true }] },
    counters: { accepted: 0, delivered: 0, dead: 0 },
    unusableSecretFiles: 0,
    misplaced: 0,
    removedEarly: 0,
    intake: intake(),
    ledger: { ...counts, sources: {} },
    destinations: [],
    replicas: [],
    enrichment: [],
    reconciliation: { sources: [], destinations: [], runs: [] },
    deadLetters: [],
    ...more,
  };
}

function textsOf(shown: Snapshot, more: { problem?: string; now?: number } = {}): string[] {
  const status = { url: 'http://127.0.0.1:8081', now: NOW, snapshot: shown, ...more };
  return statusLines(status, WIDTH).map(({ text }) => text);
}

/** A snapshot in which every text is as long as it can be. */
function crowded(): Snapshot {
  const detail = 'the organisation refuses this technical account because its role may not write '.repeat(4);
  return snapshot({
    health: {
      status: 'failing',
      checks: [
        { name: 'journal', ok: false, detail },
        { name: `delivery/${LONG_NAME}`, ok: false, detail },
      ],
    },
    unusableSecretFiles: 3,
    intake: intake(
      intakeOf(
        LONG_NAME,
        { 'not-verified': 1_234_567, oversized: 1_234_567, 'not-json': 99, 'rate-limited': 4 },
        { lastRefusedAt: ago(50_000), quarantined: 1_000, newestQuarantined: HELD, malformed: 99 },
      ),
      intakeOf('unknown', { 'unknown-source': 10 }, { lastRefusedAt: ago(4) }),
    ),
    ledger: {
      ...snapshot().ledger,
      accepted: 1_234_567_890,
      pending: 123_456_789,
      delivered: 1_034_567_890,
      balanced: false,
      sources: { [LONG_NAME]: { ...snapshot().ledger, accepted: 4, balanced: false, configured: true } },
    },
    destinations: [
      {
        name: LONG_NAME,
        state: 'waiting',
        reason: 'ims-invalid_client',
        detail,
        nextTryAt: ago(-85_000),
        oldestPendingAt: ago(85_000),
        otherReplicas: [{ replica: LONG_NAME, state: 'paused', reason: 'unauthorized', inFlight: 2 }],
        inFlight: 0,
        concurrency: { used: 10, limit: 64 },
        tokenSecondsLeft: 85_000,
        lastAnswers: {},
        pending: 123_456_789,
      },
    ],
    deadLetters: [
      {
        receipt: '0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01',
        source: LONG_NAME,
        destination: LONG_NAME,
        state: 'dead',
        reason: 'mapping-failed-for-a-long-reason',
        eventName: 'aVeryLongEventName'.repeat(10),
        receivedAt: ago(85_000),
        verifiedBy: 'header',
        failures: 0,
        delivered: [],
        replays: 0,
        bodyBytes: 1,
      },
    ],
  });
}

describe('the width of the status', () => {
  it('is never exceeded, whatever the length of names and reasons', () => {
    const texts = textsOf(crowded());
    expect(texts.filter((text) => text.length > WIDTH)).toEqual([]);
    const stale = textsOf(crowded(), { problem: 'no relay answers: '.padEnd(300, 'a long reason ') });
    expect(stale.filter((text) => text.length > WIDTH)).toEqual([]);
  });

  it('is kept by breaking between words and by leaving out columns, not by cutting names', () => {
    const texts = textsOf(crowded());
    const text = texts.join('\n');
    expect(text).toContain('ims-invalid_client: the organisation refuses this technical account');
    expect(texts.find((line) => line.startsWith('DESTINATION'))).toMatch(/STATE +PENDING$/);
    expect(text).toContain(`${LONG_NAME}  waiting`.slice(0, 60));
    expect(text).toContain('0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d01');
    const whole = crowded().destinations[0]!.detail!.split(' ');
    const from = texts.findIndex((line) => line.includes('ims-invalid_client'));
    for (const word of texts[from]!.trim().split(' ').slice(1)) expect([...whole, '…']).toContain(word);
  });

  it('a reason takes at most three lines, the last one ends with a whole word', () => {
    const text = `one two ${'three four '.repeat(30)}`.trim();
    const lines = wrapLine({ text, hang: 4 }, 40).map((line) => line.text);
    expect(lines).toHaveLength(3);
    expect(lines[1]).toMatch(/^ {4}\S/);
    expect(lines[2]).toMatch(/ (three|four) …$/);
    expect(cutAtWord('short', 10)).toBe('short');
    expect(cutAtWord('x'.repeat(50), 10)).toBe(`${'x'.repeat(9)}…`);
  });
});

describe('webhooks in the status', () => {
  const linesOf = (...sources: SourceIntakeAnswer[]) => webhookLines(intake(...sources), NOW);
  const justStarted = (seconds: number, ...sources: SourceIntakeAnswer[]) =>
    webhookLines({ ...intake(...sources), since: ago(seconds) }, NOW);

  it('nothing refused: one line', () => {
    expect(linesOf(intakeOf('acme', { accepted: 143, duplicate: 3 }), intakeOf('beta', {}))).toEqual([
      { text: 'webhooks  143 accepted, 3 duplicate, none refused in 15 min', hang: 10 },
    ]);
  });

  it('refused ones are red, with what it means and the command that shows them', () => {
    const lines = linesOf(
      intakeOf(
        'acme',
        { accepted: 1, 'not-verified': 20 },
        { lastRefusedAt: ago(12), quarantined: 20, newestQuarantined: HELD },
      ),
      intakeOf(
        'beta',
        { 'not-json': 1, oversized: 1, 'body-too-large': 1 },
        { lastRefusedAt: ago(120), malformed: 2 },
      ),
    );
    expect(lines.map(({ text }) => text)).toEqual([
      'webhooks  1 accepted, 0 duplicate, 23 refused in 15 min',
      '  Capillary does not repeat a 400, 401 or 413: lost unless released or replayed',
      '  acme: 20 × 401 not-verified, the last 12 s ago',
      '    20 in quarantine, the newest 2 min old (header:mismatch)',
      '    capillary-relay quarantine list --source acme',
      '  beta: 2 × 413 body-too-large, 1 × 400 not-json, the last 2 min ago',
      '    capillary-relay dead-letters list --source beta --reason malformed',
    ]);
    expect(new Set(lines.map(({ tone }) => tone))).toEqual(new Set(['red']));
    expect(Math.max(...lines.map(({ text }) => text.length))).toBeLessThanOrEqual(WIDTH);
  });

  it('no command for malformed dead letters that were discarded', () => {
    const texts = linesOf(intakeOf('acme', { accepted: 9, 'not-json': 2 })).map(({ text }) => text);
    expect(texts.at(-1)).toBe('  acme: 2 × 400 not-json');
  });

  it('what Capillary sends again, and unknown sources, are yellow; other paths are no webhooks', () => {
    const sources = [
      intakeOf('acme', { accepted: 9, 'rate-limited': 2 }, { lastRefusedAt: ago(1) }),
      intakeOf('unknown', { 'unknown-source': 3 }, { lastRefusedAt: ago(0.3) }),
    ];
    const lines = webhookLines({ ...intake(...sources), otherPaths: 7 }, NOW);
    expect(lines.map(({ text, tone }) => [tone, text.trim()])).toEqual([
      ['yellow', 'webhooks  9 accepted, 0 duplicate, 5 refused in 15 min'],
      ['yellow', 'unknown sources: 3 × 404 unknown-source, the last 1 s ago'],
      ['yellow', 'acme: 2 × 429 rate-limited, the last 1 s ago'],
      ['dim', 'other paths: 7 × 404, no webhooks'],
    ]);
  });

  it('a restart does not hide what is in the quarantine: red while it is fresh, then yellow', () => {
    const fresh = justStarted(4, intakeOf('acme', {}, { quarantined: 3, newestQuarantined: HELD }));
    expect(fresh.map(({ text, tone }) => [tone, text])).toEqual([
      ['red', 'webhooks  0 accepted, 0 duplicate, none refused since the start 4 s ago'],
      ['red', '  Capillary does not repeat a 401: lost unless released or replayed'],
      ['red', '  acme: 3 in quarantine, the newest 2 min old (header:mismatch)'],
      ['red', '    capillary-relay quarantine list --source acme'],
    ]);
    const old = { receivedAt: ago(7_200), reasons: ['bearer:missing'] };
    const waiting = linesOf(intakeOf('acme', {}, { quarantined: 3, newestQuarantined: old }));
    expect(waiting.map(({ text, tone }) => [tone, text]).slice(0, 2)).toEqual([
      ['yellow', 'webhooks  0 accepted, 0 duplicate, none refused in 15 min'],
      ['yellow', '  acme: 3 in quarantine, the newest 2 h 0 min old (bearer:missing)'],
    ]);
  });

  it('a source refuses everything: none accepted, or ten refused in a row', () => {
    const refusing = (outcomes: Record<string, number>, refusedInARow: number, source = 'acme') =>
      refusesEverything(intakeOf(source, outcomes, { refusedInARow }), intake(), NOW);
    expect(refusing({ 'not-verified': 1 }, 1)).toBe(true);
    expect(refusing({ accepted: 500, 'not-verified': 10 }, 10)).toBe(true);
    expect(refusing({ accepted: 500, 'not-verified': 9 }, 9)).toBe(false);
    expect(refusing({ accepted: 500, 'not-verified': 20 }, 0)).toBe(false);
    expect(refusing({}, 50)).toBe(false);
    expect(refusing({ 'unknown-source': 50 }, 50, 'unknown')).toBe(false);
    // Fixed: a release of the quarantined ones ends the row.
    expect(refusing({ 'not-verified': 3 }, 0)).toBe(false);
  });

  it('after a restart: while what it quarantined is fresh, and until a webhook is accepted', () => {
    const refusing = (more: Partial<SourceIntakeAnswer>) =>
      refusesEverything(intakeOf('acme', {}, { quarantined: 3, ...more }), intake(), NOW);
    expect(refusing({ newestQuarantined: HELD })).toBe(true);
    expect(refusing({ newestQuarantined: HELD, lastAcceptedAt: ago(5) })).toBe(false);
    expect(refusing({ newestQuarantined: { ...HELD, receivedAt: ago(901) } })).toBe(false);
  });
});

function destination(name: string, state: string, more: Partial<DestinationAnswer> = {}): DestinationAnswer {
  return {
    name,
    state,
    otherReplicas: [],
    inFlight: 0,
    concurrency: { used: 0, limit: 8 },
    lastAnswers: {},
    pending: 0,
    ...more,
  };
}

function deadLetter(number: number): EventAnswer {
  return {
    receipt: `0190a5b2-7c1e-7e11-8f3a-2f4b7a9c1d0${number}`,
    source: 'acme',
    destination: 'acme-aep',
    state: 'dead',
    reason: 'rejected',
    eventName: 'pointsIssued',
    receivedAt: ago(51),
    settledAt: ago(5),
    verifiedBy: 'header',
    failures: 0,
    delivered: [],
    replays: 1,
    bodyBytes: 1,
  };
}

it('says that a full store has given up history', () => {
  expect(textsOf(snapshot({ removedEarly: 1_200 })).join(' ')).toContain(
    'store     was full: 1200 bodies and records of finished events',
  );
  expect(textsOf(snapshot()).join(' ')).not.toContain('was full');
});

it('says that events wait where their source no longer sends', () => {
  expect(textsOf(snapshot({ misplaced: 12 })).join(' ')).toMatch(
    /misplaced 12 pending events wait .*capillary-relay destinations reroute --dry-run/u,
  );
});

describe('replicas in the status', () => {
  const replica = (name: string, more: Partial<ReplicaAnswer> = {}): ReplicaAnswer => ({
    id: name,
    name,
    version: '0.4.0',
    since: ago(3_600),
    silentFor: 300,
    isSelf: false,
    isLeader: false,
    slots: { 'acme-aep': 32 },
    rates: { accepted: 10.25, delivered: 9 },
    ...more,
  });

  it('are not shown when there is one', () => {
    expect(textsOf(snapshot({ replicas: [replica('relay-0')] })).join('\n')).not.toContain('REPLICA');
  });

  it('are shown with version, slots, rates and roles; their rates add up', () => {
    const replicas = [
      replica('relay-a', { isLeader: true, isSelf: true }),
      replica('relay-b', { version: '0.5.0', silentFor: 4_200 }),
    ];
    const shown = snapshot({ replicas });
    const texts = textsOf(shown);
    expect(texts).toContainEqual(
      expect.stringMatching(/^REPLICA +AGE +VERSION +ACC\/S +DEL\/S +SLOTS +ROLE/),
    );
    expect(texts).toContainEqual(
      expect.stringMatching(/^relay-a +1 h 0 min +0\.4\.0 +10\.3 +9\.0 +acme-aep 32 +leader, answers$/),
    );
    expect(texts).toContainEqual(expect.stringMatching(/^relay-b .* silent for 4 s$/));
    expect(texts).toContain('  several versions: 0.4.0, 0.5.0');
    expect(ratesOf({ ...shown, at: -1_000 }, shown)).toMatchObject({ accepted: 20.5, delivered: 18 });
  });

  it('are named where a destination has another state, which can be what needs somebody', () => {
    const [base] = crowded().destinations;
    const there = { replica: 'relay-b', state: 'paused', reason: 'unauthorized', inFlight: 0 };
    const shown = snapshot({
      destinations: [{ ...base!, name: 'aep', state: 'flowing', otherReplicas: [there] }],
    });
    expect(textsOf(shown)).toContain('  paused in relay-b: unauthorized');
    expect(exitReasons(shown)).toEqual(['destination aep is paused in relay-b: unauthorized']);
  });
});

describe('why status exits with 1', () => {
  it('names events that nobody delivers until an operator moves them', () => {
    expect(exitReasons(snapshot({ misplaced: 530 }))).toEqual([
      '530 pending events wait where their source no longer sends',
    ]);
  });

  it('names what needs somebody, and not what an operator wanted or what is tried again', () => {
    expect(exitReasons(snapshot())).toEqual([]);
    const broken = snapshot({
      intake: intake(intakeOf('acme', { 'not-verified': 3 }, { refusedInARow: 3 })),
      ledger: { ...snapshot().ledger, balanced: false },
      health: { status: 'failing', checks: [{ name: 'journal', ok: false }] },
      unusableSecretFiles: 1,
      destinations: [
        destination('a', 'paused', { reason: 'operator' }),
        destination('b', 'waiting', { reason: 'throttled' }),
        destination('c', 'paused', { reason: 'unauthorized' }),
      ],
    });
    expect(exitReasons(broken)).toEqual([
      'the ledger does not balance',
      'the check journal of /readyz fails',
      'source acme refused every webhook of the last 15 minutes',
      'destination c is paused: unauthorized',
      'a secret file cannot be used',
    ]);
  });
});

describe('destinations, secrets and dead letters', () => {
  it('a destination that does not flow has the command for it; the next try is in whole seconds', () => {
    const destinations = [
      destination('mine', 'paused', { reason: 'operator', detail: 'by ann' }),
      destination('theirs', 'waiting', { reason: 'throttled', nextTryAt: ago(-0.422) }),
      destination('fine', 'flowing'),
    ];
    const status = {
      url: 'http://r',
      now: NOW,
      options: ' --config r.yaml',
      snapshot: snapshot({ destinations }),
    };
    const texts = statusLines(status, WIDTH).map(({ text }) => text);
    const from = texts.findIndex((text) => text.startsWith('DESTINATION'));
    expect(texts.slice(from + 2, from + 7)).toEqual([
      '  operator: by ann',
      '    capillary-relay destinations resume mine --config r.yaml',
      expect.stringMatching(/^theirs .* in 1 s$/),
      '  throttled',
      '    capillary-relay destinations list --config r.yaml',
    ]);
  });

  it('secret files that cannot be used are a red line', () => {
    const status = {
      url: 'http://r',
      configOptions: ' --config r.yaml',
      now: NOW,
      snapshot: snapshot({ unusableSecretFiles: 2 }),
    };
    expect(statusLines(status, WIDTH)).toContainEqual(
      expect.objectContaining({
        text: 'secrets   2 secret files cannot be used: capillary-relay check --config r.yaml',
        tone: 'red',
      }),
    );
  });

  it('the age of a dead letter counts from when it died', () => {
    expect(textsOf(snapshot({ deadLetters: [deadLetter(1)] })).join('\n')).toMatch(/1d01 +5 s +rejected/);
  });
});

describe('the height of the status', () => {
  const incident = snapshot({
    intake: intake(
      intakeOf(
        'acme',
        { 'not-verified': 40 },
        { lastRefusedAt: ago(3), refusedInARow: 40, quarantined: 40, newestQuarantined: HELD },
      ),
      intakeOf('unknown', { 'unknown-source': 10 }, { lastRefusedAt: ago(4) }),
    ),
    destinations: [
      destination('acme-aep', 'paused', {
        reason: 'ims-invalid_client',
        detail: 'the organisation refuses this technical account because its role may not write '.repeat(4),
      }),
    ],
    deadLetters: [1, 2, 3, 4, 5].map(deadLetter),
  });
  const fitting = (height: number, shown = incident) =>
    statusLines({ url: 'http://r', now: NOW, snapshot: shown }, WIDTH, height).map(({ text }) => text);

  it('80×24: the list of dead letters becomes a number, everything else stays', () => {
    const texts = fitting(23);
    expect(texts.length).toBeLessThanOrEqual(23);
    const text = texts.join('\n');
    expect(text).toContain('5 or more dead letters: capillary-relay dead-letters list');
    expect(text).toContain('capillary-relay quarantine list --source acme');
    expect(text).toContain('capillary-relay destinations list');
    expect(text).not.toContain('more line');
    expect(texts.at(-1)).toMatch(/^accepted 1 = pending 1/);
  });

  it('80×12: refusals, destinations and the ledger stay, and it says how many lines are missing', () => {
    const texts = fitting(11);
    expect(texts).toHaveLength(11);
    const whole = fitting(Infinity, { ...incident, deadLetters: [] });
    const kept = [
      /^intake/,
      /^webhooks/,
      /^ {2}acme: 40 × 401/,
      /^DESTINATION/,
      /^acme-aep +paused/,
      /ims-invalid/,
    ];
    for (const line of kept) expect(texts).toContainEqual(expect.stringMatching(line));
    expect(texts.at(-1)).toMatch(/^accepted 1 = pending 1/);
    const mark = texts.find((text) => text.includes('…') && text.includes('more line'));
    const missing = whole.filter((text) => text !== '' && !texts.includes(text));
    // The number of dead letters is one of the missing lines, in place of `no dead letters`.
    expect(mark).toBe(`  … ${missing.length} more lines`);
  });

  it('a screen of any height is filled at most, and ends with the ledger', () => {
    for (let height = 3; height < 40; height += 1) {
      const texts = fitting(height, crowded());
      expect(texts.length).toBeLessThanOrEqual(height);
      expect(texts[0]).toContain('capillary-relay');
    }
  });
});

describe('a relay that stopped answering', () => {
  const shown = snapshot({
    takenAt: NOW - 34_000,
    intake: intake(intakeOf('acme', { 'not-verified': 1 })),
  });
  const lines = statusLines(
    {
      url: 'http://127.0.0.1:8081',
      now: NOW,
      snapshot: shown,
      problem: 'no relay answers: the connection was refused',
    },
    WIDTH,
  );

  it('one red line of whole words, then the age of what stands below, which is dim', () => {
    expect(lines.slice(0, 3)).toEqual([
      { text: 'capillary-relay  http://127.0.0.1:8081  2026-01-31 08:00:00Z', tone: 'bold' },
      { text: 'no relay answers: the connection was refused; retrying', tone: 'red' },
      { text: 'the data below is 34 s old', tone: 'bold' },
    ]);
    const below = lines.slice(3).filter(({ text }) => text !== '');
    expect(below.length).toBeGreaterThan(5);
    expect(new Set(below.map(({ tone }) => tone))).toEqual(new Set(['dim']));
  });
});
