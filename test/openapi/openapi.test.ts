import type { FastifyInstance } from 'fastify';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { PROBLEMS } from '../../src/errors.ts';
import { transactionAdded } from '../fixtures/events.ts';
import { type AdminRig, startAdminRig } from '../admin/admin-rig.ts';
import { brokenExamples, contractFault, operations, problemCodes } from '../helpers/openapi.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

describe('the contract', () => {
  it('has exactly the routes of both apps, but for those that only say 405', async () => {
    const routes: string[] = [];
    for (const app of [rig.admin, rig.intake]) {
      for (const route of routesOf(app)) {
        const [method, path = ''] = route.split(' ');
        const isKnown = operations.includes(route);
        const url = path.replaceAll(/\{\w+\}/g, 'x');
        const answer = isKnown ? undefined : await app.inject({ method: method as 'GET', url });
        if (answer?.statusCode !== 405) routes.push(route);
      }
    }
    expect(routes.toSorted()).toEqual(operations.toSorted());
  });

  it('has exactly the problem codes of the catalogue', () => {
    expect(problemCodes.toSorted()).toEqual(Object.keys(PROBLEMS).toSorted());
  });

  it('has examples that fit their schemas', () => {
    expect(brokenExamples()).toEqual([]);
  });
});

describe('the check of answers against the contract', () => {
  const json = { 'content-type': 'application/json' };
  const fault = (status: number, text: string, headers: Record<string, string> = json, path = '/livez') =>
    contractFault({ method: 'GET', path, status, headers: new Headers(headers), text });

  it('passes what fits', () => {
    expect(fault(200, '{"status":"ok","checks":[{"name":"a","ok":true}]}')).toBeUndefined();
  });

  it.each([
    ['a field that is not there', '{"status":"ok"}'],
    ['a field too many', '{"status":"ok","checks":[],"more":1}'],
    ['a field too many further in', '{"status":"ok","checks":[{"name":"a","ok":true,"more":1}]}'],
    ['a wrong value', '{"status":"good","checks":[]}'],
  ])('finds %s', (_what, text) => {
    expect(fault(200, text)).toBeDefined();
  });

  it('finds a field too many in what is made of parts', () => {
    const line = { accepted: 0, pending: 0, delivered: 0, ignored: 0, dead: 0, malformed: 0, quarantined: 0 };
    const ledger = (more: object, sources: object = {}) =>
      fault(200, JSON.stringify({ ...line, balanced: true, sources, ...more }), json, '/admin/v1/ledger');
    expect(ledger({})).toBeUndefined();
    expect(ledger({ more: 1 })).toBeDefined();
    expect(ledger({}, { acme: { ...line, balanced: true, more: 1 } })).toBeDefined();
  });

  it('finds a status, a type, a header or a path that is not in the contract', () => {
    const ok = '{"status":"ok","checks":[]}';
    expect(fault(201, ok)).toContain('status');
    expect(fault(200, ok, { 'content-type': 'text/html' })).toContain('text/html');
    expect(fault(429, '{}', json, '/admin/v1/ledger')).toContain('Retry-After');
    expect(fault(200, ok, json, '/nothing')).toContain('not in the contract');
  });
});

describe('answers of the webhook port', () => {
  it('fit the contract', async () => {
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

/** `METHOD /path/{parameter}` of each route, from the tree that Fastify prints. HEAD comes with each GET. */
const routesOf = (app: FastifyInstance): string[] => {
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
};
