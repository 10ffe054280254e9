import { afterEach } from 'vitest';
import type { FaultRuleInput } from '../../../src/simulator/adobe/fault-script.ts';
import type { SimulatorOptions } from '../../../src/simulator/adobe/simulator-options.ts';
import { type Simulator, startSimulator } from '../../../src/simulator/simulator.ts';

export const ORG = '7A55F00D0BADCAFE00C0FFEE@AdobeOrg';
export const FLOW = '2b7e1516-28ae-42d2-a6ab-f7158809cf4f';
export const EVENTS = '6651aa00bb11cc22dd33ee44';
export const PEOPLE = '6651aa00bb11cc22dd33ee55';
const SCHEMA = {
  id: 'https://ns.adobe.com/tealeaf/schemas/1234abcd',
  contentType: 'application/vnd.adobe.xed-full+json;version=1',
};

export type Json = Record<string, unknown>;

const running: Simulator[] = [];
afterEach(async () => {
  await Promise.all(running.splice(0).map((simulator) => simulator.close()));
});

/** A simulator that is closed after the test. */
export async function simulate(options: SimulatorOptions = {}): Promise<Simulator> {
  const simulator = await startSimulator(options);
  running.push(simulator);
  return simulator;
}

export function identityMap(id: string) {
  return { crmId: [{ id, primary: true }] };
}

export function anEvent(id: string, customer = 'tara-1', more: Json = {}): Json {
  return {
    _id: id,
    timestamp: '2026-03-04T05:06:07.890Z',
    eventType: 'loyalty.pointsIssued',
    identityMap: identityMap(customer),
    ...more,
  };
}

export function aProfile(customer: string, more: Json = {}): Json {
  return {
    identityMap: identityMap(customer),
    ...more,
  };
}

/** An envelope in XDM form; `header` and `body` overwrite its parts. */
export function xdm(entity: Json, header: Json = {}, body: Json = {}): Json {
  return {
    header: { schemaRef: SCHEMA, imsOrgId: ORG, datasetId: EVENTS, flowId: FLOW, ...header },
    body: { xdmMeta: { schemaRef: SCHEMA }, xdmEntity: entity, ...body },
  };
}

export function form(more: Record<string, string> = {}): URLSearchParams {
  return new URLSearchParams({
    grant_type: 'client_credentials',
    client_id: 'tealeaf-client',
    client_secret: 'tealeaf-secret',
    scope: 'openid,AdobeID,read_organizations',
    ...more,
  });
}

export function requestToken(simulator: Simulator, fields = form(), path = '/ims/token/v3') {
  return fetch(`${simulator.url}${path}`, { method: 'POST', body: fields });
}

export async function mint(simulator: Simulator): Promise<string> {
  const answer = (await (await requestToken(simulator)).json()) as { access_token: string };
  return answer.access_token;
}

export interface Sent {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  readonly json: Json & { responses?: Json[] };
}

async function post(url: string, body: string, headers: Record<string, string>): Promise<Sent> {
  const answer = await fetch(url, {
    method: 'POST',
    body,
    headers: { 'content-type': 'application/json', ...headers },
  });
  const text = await answer.text();
  let json: Sent['json'] = {};
  try {
    json = JSON.parse(text) as Sent['json'];
  } catch {
    // Some answers are deliberately not JSON.
  }
  return { status: answer.status, headers: answer.headers, text, json };
}

/** A client of one simulator, with a valid token. */
export async function client(simulator: Simulator) {
  const token = await mint(simulator);
  const headers = { authorization: `Bearer ${token}`, 'x-sandbox-name': 'dev' };
  const batchUrl = simulator.inletUrl().replace('/collection/', '/collection/batch/');
  return {
    token,
    batch: (messages: unknown[], more: Record<string, string> = {}) =>
      post(batchUrl, JSON.stringify({ messages }), { ...headers, ...more }),
    single: (message: unknown, query = '', more: Record<string, string> = {}) =>
      post(simulator.inletUrl() + query, JSON.stringify(message), { ...headers, ...more }),
    text: (body: string, more: Record<string, string> = {}) => post(batchUrl, body, { ...headers, ...more }),
  };
}

/** Messages of three customers. */
export const three = ['a', 'b', 'c'].map((id) => xdm(anEvent(id, `c-${id}`)));

/** A simulator with fault rules, and a client of it. */
export async function withFaults(...faults: FaultRuleInput[]) {
  const simulator = await simulate();
  const adobe = await client(simulator);
  simulator.setFaults(faults);
  return { simulator, adobe };
}
