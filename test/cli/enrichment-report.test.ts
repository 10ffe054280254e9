import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { EnrichmentAnswer, RecordAnswer } from '../../src/cli/admin-answers.ts';
import { formatEnrichment } from '../../src/cli/explain/enrichment-report.ts';

function report(enrichment?: EnrichmentAnswer, notes: RecordAnswer['notes'] = []): string | undefined {
  const record = { receivedAt: '2026-01-31T08:00:00.000Z', notes, ...(enrichment && { enrichment }) };
  const text = formatEnrichment(record as RecordAnswer);
  return text === undefined ? undefined : stripVTControlCharacters(text);
}

describe('what explain says of the API', () => {
  it('lists calls, ages, contents and what is missing', () => {
    const text = report({
      customer: {
        readAt: '2026-01-31T08:00:03.500Z',
        answer: 'merged',
        calls: [{ call: 'GET /v2/customers/{id}', requestId: 'cap-1', status: 200 }],
        contents: { programs: 2, expiryDates: 3 },
      },
      bill: {
        readAt: '2026-01-31T07:59:59.000Z',
        calls: [{ call: 'GET /v2/transactions/{id}' }],
        contents: {},
      },
      refresh: {
        customer: false,
        bill: true,
        dueAt: '2026-01-31T08:05:00.000Z',
        attempts: 2,
        isRunning: false,
      },
    });

    expect(text?.split('\n')).toEqual([
      "From Capillary's API",
      'customer   read 2026-01-31 08:00:03Z, 3 s after the receipt of the event; merged into another customer',
      '  contains programs 2, expiry dates 3',
      '  GET /v2/customers/{id}: answered 200, X-CAP-REQUEST-ID cap-1',
      'bill       read 2026-01-31 07:59:59Z, 1 s before the receipt of the event',
      '  contains nothing',
      '  GET /v2/transactions/{id}: no answer',
      'missing    the lines of the bill. A refresh waits; it can begin 2026-01-31 08:05:00Z, when the API has calls left; 2 before it ended with something missing.',
    ]);
  });

  it('says that a refresh is running, and that another event has taken it over', () => {
    const refresh = {
      customer: true,
      bill: true,
      dueAt: '2026-01-31T08:05:00.000Z',
      attempts: 0,
      isRunning: true,
    };

    expect(report({ refresh })).toContain(
      "missing    the customer's profile and the lines of the bill. A refresh is running.",
    );
    expect(report({ refresh: { ...refresh, customer: false, bill: false } })).toContain('nothing any more');
  });

  it('says who completes the profile if the refresh is that of another event', () => {
    const note = { kind: 'dropped', path: 'entities.customer', code: 'enrichment-incomplete', message: '' };
    const refresh = { bill: true, dueAt: '2026-01-31T08:05:00.000Z', attempts: 0, isRunning: false };
    const text = 'profile    completed by the refresh of a newer event of this customer';

    expect(report(undefined, [note])).toContain(text);
    expect(report({ refresh: { ...refresh, customer: false } }, [note])).toContain(text);
    expect(report({ refresh: { ...refresh, customer: true } }, [note])).not.toContain(text);
  });

  it('says nothing if nothing was read', () => {
    expect(report()).toBeUndefined();
  });
});
