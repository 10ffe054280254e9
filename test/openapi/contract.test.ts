import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBLEMS, problem } from '../../src/http/problems.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';
import {
  invalidExamples,
  contractViolation,
  operations,
  problemCodes,
  problemTable,
} from '../helpers/openapi.ts';

/** Routes of the documentation page. */
const PAGE_ROUTES = /^GET \/docs[/*]/;

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

describe('the contract', () => {
  it('has exactly the routes of both apps', () => {
    const routes = [rig.admin, rig.intake].flatMap(routesOf).filter((route) => !PAGE_ROUTES.test(route));
    expect(routes.toSorted()).toEqual(operations.toSorted());
  });

  it('has exactly the problem codes of the catalogue, each with its status', () => {
    const catalogue = Object.entries(PROBLEMS).map(([code, { status }]) => [code, status]);
    expect(problemCodes.toSorted()).toEqual(Object.keys(PROBLEMS).toSorted());
    expect(problemTable).toEqual(Object.fromEntries(catalogue));
  });

  it('has valid examples of all bodies and answers', () => {
    expect(invalidExamples()).toEqual([]);
  });
});

describe('the check of answers against the contract', () => {
  const json = { 'content-type': 'application/json' };
  const fault = (status: number, text: string, headers: Record<string, string> = json, path = '/livez') =>
    contractViolation({ method: 'GET', path, status, headers: new Headers(headers), text });

  it('accepts a valid answer', () => {
    expect(fault(200, '{"status":"ok","checks":[{"name":"a","ok":true}]}')).toBeUndefined();
  });

  it.each([
    ['a missing field', '{"status":"ok"}'],
    ['an unknown field', '{"status":"ok","checks":[],"more":1}'],
    ['an unknown nested field', '{"status":"ok","checks":[{"name":"a","ok":true,"more":1}]}'],
    ['a wrong value', '{"status":"good","checks":[]}'],
  ])('detects %s', (_what, text) => {
    expect(fault(200, text)).toBeDefined();
  });

  it('detects an unknown field in a composed schema', () => {
    const line = { accepted: 0, pending: 0, delivered: 0, ignored: 0, dead: 0, malformed: 0, quarantined: 0 };
    const ledger = (more: object, sources: object = {}) =>
      fault(200, JSON.stringify({ ...line, balanced: true, sources, ...more }), json, '/admin/v1/ledger');
    expect(ledger({})).toBeUndefined();
    expect(ledger({ more: 1 })).toBeDefined();
    expect(ledger({}, { acme: { ...line, balanced: true, more: 1 } })).toBeDefined();
  });

  it('detects a status, content type, header or path that is not in the contract', () => {
    const ok = '{"status":"ok","checks":[]}';
    expect(fault(201, ok)).toContain('status');
    expect(fault(200, ok, { 'content-type': 'text/html' })).toContain('text/html');
    const late = JSON.stringify(problem('rate-limited'));
    const type = { 'content-type': 'application/problem+json' };
    expect(fault(429, late, type, '/admin/v1/ledger')).toContain('Retry-After');
    expect(fault(429, late, { ...type, 'retry-after': '1' }, '/admin/v1/ledger')).toBeUndefined();
    expect(fault(200, ok, json, '/nothing')).toContain('not in the contract');
  });
});

describe('a problem document with', () => {
  const valid = { ...problem('not-found') };
  it.each([
    ['a status other than that of the answer', { ...valid, status: 400 }],
    ['a code of another status', { ...problem('bad-request'), status: 404 }],
    ['the type of another code', { ...valid, type: problem('conflict').type }],
  ])('%s is detected', (_what, body) => {
    const headers = new Headers({ 'content-type': 'application/problem+json' });
    const text = JSON.stringify(body);
    expect(contractViolation({ method: 'GET', path: '/nothing', status: 404, headers, text })).toContain(
      'does not match',
    );
  });
});

describe('answers of the webhook port', () => {
  it('match the contract', async () => {
    const event = transactionAdded(1);
    const statuses = [
      await rig.webhook('acme', event),
      await rig.webhook('acme', event),
      await rig.webhook('acme', 'no json'),
      await rig.webhook('acme', '[]'),
      await rig.webhook('acme', event, { 'x-relay-key': 'wrong' }),
      await rig.webhook('nobody', event),
      await rig.webhook('acme', 'x'.repeat(1_048_577)),
    ].map(({ status }) => status);
    expect(statuses).toEqual([200, 200, 400, 400, 401, 404, 413]);
  });
});

/**
 * `METHOD /path/{parameter}` of each route, parsed from Fastify's route tree. HEAD is implied by
 * GET.
 */
function routesOf(app: FastifyInstance): string[] {
  const branches: string[] = [];
  return app
    .printRoutes({ commonPrefix: false })
    .split('\n')
    .flatMap((line) => {
      const [, indent = '', segment = '', methods = ''] =
        /^([│ ]*)[├└]── (\S+)(?: \(([^)]+)\))?/.exec(line) ?? [];
      branches.splice(indent.length / 4, Infinity, segment);
      const path = branches.join('').replaceAll(/:(\w+)/g, '{$1}');
      return methods
        .split(', ')
        .filter((method) => method !== '' && method !== 'HEAD')
        .map((method) => `${method} ${path}`);
    });
}
