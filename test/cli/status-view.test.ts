import { describe, expect, it } from 'vitest';
import type { SourceIntakeAnswer } from '../../src/cli/admin-answers.ts';
import { refusesEverything, webhookLines } from '../../src/cli/status/intake-lines.ts';
import type { Snapshot } from '../../src/cli/status/snapshot.ts';
import { cutAtWord, wrapLine } from '../../src/cli/status/status-line.ts';
import { statusLines } from '../../src/cli/status/status-view.ts';

const WIDTH = 80;
const NOW = Date.UTC(2026, 0, 31, 8);
const LONG_NAME = `acme-${'loyalty-'.repeat(7)}`.slice(0, 62);

function ago(seconds: number): string {
  return new Date(NOW - seconds * 1_000).toISOString();
}

function intakeOf(source: string, outcomes: Record<string, number>, more: Partial<SourceIntakeAnswer> = {}) {
  const refused = Object.entries(outcomes)
    .filter(([outcome]) => outcome !== 'accepted' && outcome !== 'duplicate')
    .reduce((sum, [, count]) => sum + count, 0);
  return { source, outcomes, refused, refusedInARow: 0, quarantined: 0, ...more };
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
    intake: { minutes: 15, since: ago(890), sources: [] },
    ledger: { ...counts, sources: {} },
    destinations: [],
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
    intake: {
      minutes: 15,
      since: ago(890),
      sources: [
        intakeOf(
          LONG_NAME,
          { 'not-verified': 1_234_567, oversized: 1_234_567, 'not-json': 99, 'rate-limited': 4 },
          { lastRefusedAt: ago(50_000), quarantined: 1_000 },
        ),
        intakeOf('unknown', { 'unknown-source': 10 }, { lastRefusedAt: ago(4) }),
      ],
    },
    ledger: {
      ...snapshot().ledger,
      accepted: 1_234_567_890,
      pending: 123_456_789,
      delivered: 1_034_567_890,
      balanced: false,
      sources: { [LONG_NAME]: { ...snapshot().ledger, accepted: 4, balanced: false } },
    },
    destinations: [
      {
        name: LONG_NAME,
        state: 'waiting',
        reason: 'ims-invalid_client',
        detail,
        nextTryAt: ago(-85_000),
        oldestPendingAt: ago(85_000),
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
  const linesOf = (...sources: SourceIntakeAnswer[]) =>
    webhookLines({ minutes: 15, since: ago(890), sources }, NOW);

  it('nothing refused: one line', () => {
    expect(linesOf(intakeOf('acme', { accepted: 143, duplicate: 3 }), intakeOf('beta', {}))).toEqual([
      { text: 'webhooks  143 accepted, 3 duplicate, none refused in 15 min', hang: 10 },
    ]);
  });

  it('refused ones are red, with the command that shows them', () => {
    const lines = linesOf(
      intakeOf('acme', { accepted: 1, 'not-verified': 20 }, { lastRefusedAt: ago(12), quarantined: 20 }),
      intakeOf('beta', { 'not-json': 1, oversized: 2 }, { lastRefusedAt: ago(120) }),
    );
    expect(lines.map(({ text }) => text)).toEqual([
      'webhooks  1 accepted, 0 duplicate, 23 refused in 15 min; 20 quarantined',
      '  acme: 20 × 401 not-verified, the last 12 s ago, 20 quarantined',
      '    capillary-relay quarantine list --source acme',
      '  beta: 2 × 413 oversized, 1 × 400 not-json, the last 2 min ago',
      '    capillary-relay dead-letters list --source beta --reason malformed',
    ]);
    expect(new Set(lines.map(({ tone }) => tone))).toEqual(new Set(['red']));
  });

  it('what Capillary sends again, and unknown sources, are yellow', () => {
    const lines = linesOf(
      intakeOf('acme', { accepted: 9, 'rate-limited': 2 }, { lastRefusedAt: ago(1) }),
      intakeOf('unknown', { 'unknown-source': 3 }, { lastRefusedAt: ago(2) }),
    );
    expect(lines.map(({ text, tone }) => [tone, text.trim()])).toEqual([
      ['yellow', 'webhooks  9 accepted, 0 duplicate, 5 refused in 15 min'],
      ['yellow', 'unknown sources: 3 × 404 unknown-source, the last 2 s ago'],
      ['yellow', 'acme: 2 × 429 rate-limited, the last 1 s ago'],
    ]);
  });

  it('requests left in the quarantine are yellow; a relay that has just started says so', () => {
    const sources = [intakeOf('acme', {}, { quarantined: 7 })];
    const [line] = webhookLines({ minutes: 15, since: ago(100), sources }, NOW);
    expect(line).toMatchObject({
      tone: 'yellow',
      text: 'webhooks  0 accepted, 0 duplicate, none refused in 1 min since the start; 7 quarantined',
    });
  });

  it('a source refuses everything: none accepted, or ten refused in a row', () => {
    const refusing = (outcomes: Record<string, number>, refusedInARow: number, source = 'acme') =>
      refusesEverything(intakeOf(source, outcomes, { refusedInARow }));
    expect(refusing({ 'not-verified': 1 }, 1)).toBe(true);
    expect(refusing({ accepted: 500, 'not-verified': 10 }, 10)).toBe(true);
    expect(refusing({ accepted: 500, 'not-verified': 9 }, 9)).toBe(false);
    expect(refusing({ accepted: 500, 'not-verified': 20 }, 0)).toBe(false);
    expect(refusing({}, 50)).toBe(false);
    expect(refusing({ 'unknown-source': 50 }, 50, 'unknown')).toBe(false);
  });
});

describe('a relay that stopped answering', () => {
  const shown = snapshot({
    takenAt: NOW - 34_000,
    intake: { minutes: 15, since: ago(890), sources: [intakeOf('acme', { 'not-verified': 1 })] },
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
