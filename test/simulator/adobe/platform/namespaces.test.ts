import { describe, expect, it } from 'vitest';
import { type Json, simulate } from '../adobe-client.ts';
import { platformClient } from './platform-client.ts';

const PATH = '/data/core/idnamespace/identities';
const LOYALTY = { name: 'Loyalty id', code: 'loyaltyId', idType: 'Cross_device', description: 'Tea club' };

async function namespaces() {
  const simulator = await simulate();
  return { simulator, ...(await platformClient(simulator)) };
}

async function listed(adobe: Awaited<ReturnType<typeof namespaces>>): Promise<Json[]> {
  return JSON.parse((await adobe.get(PATH)).text) as Json[];
}

describe('identity namespaces', () => {
  it('Adobe’s own exist in every sandbox', async () => {
    const adobe = await namespaces();
    const codes = new Map((await listed(adobe)).map((one) => [one['code'], one]));
    expect(codes.get('Email')).toMatchObject({ id: 6, custom: false, status: 'ACTIVE', idType: 'Email' });
    expect(codes.get('ECID')).toMatchObject({ id: 4, idType: 'COOKIE' });
    expect(codes.get('Phone')).toMatchObject({ id: 7, idType: 'Phone' });
  });

  it('a new one is answered with 200, and its type is spelled otherwise in the list', async () => {
    const adobe = await namespaces();
    const made = await adobe.post(PATH, LOYALTY);
    expect(made).toMatchObject({ status: 200, json: { ...LOYALTY, custom: true } });
    const one = await adobe.get(`${PATH}/${made.json['id'] as number}`);
    expect(one.json['idType']).toBe('Cross_device');
    expect(await listed(adobe)).toContainEqual(
      expect.objectContaining({ id: made.json['id'], code: 'loyaltyId', idType: 'CROSS_DEVICE' }),
    );
  });

  it.each([
    ['the code', { name: 'Other' }],
    ['the code in another case', { name: 'Other', code: 'LOYALTYID' }],
    ['the name', { code: 'other' }],
    ['a code of Adobe', { name: 'Other', code: 'email' }],
  ])('a conflict in %s is answered with 409', async (_name, more) => {
    const { post } = await namespaces();
    await post(PATH, LOYALTY);
    expect(await post(PATH, { ...LOYALTY, ...more })).toMatchObject({
      status: 409,
      json: { title: 'NAMESPACE_CODE_CONFLICT', report: { code: 'INTEGRATION_CODE_EXISTS' } },
    });
  });

  it.each([
    ['no code', { code: '' }],
    ['a code with other characters', { code: 'loyalty_id' }],
    ['no name', { name: '' }],
    ['an unknown type', { idType: 'Person' }],
  ])('refuses %s', async (_name, more) => {
    const { post } = await namespaces();
    expect(await post(PATH, { ...LOYALTY, ...more })).toMatchObject({
      status: 400,
      json: { report: { code: 'INVALID_REQUEST_PARAMS' } },
    });
  });

  it('the type is fixed, and none can be deleted', async () => {
    const adobe = await namespaces();
    const path = `${PATH}/${(await adobe.post(PATH, LOYALTY)).json['id'] as number}`;
    const changed = await adobe.put(path, { ...LOYALTY, idType: 'Email' });
    expect(changed).toMatchObject({
      status: 400,
      json: { description: 'code and idType are non editable fields' },
    });
    expect((await adobe.put(path, { ...LOYALTY, description: 'Coffee club' })).status).toBe(200);
    expect((await adobe.get(path)).json['description']).toBe('Coffee club');
    expect((await adobe.del(path)).status).toBe(404);
    expect((await adobe.get(path)).status).toBe(200);
    expect((await adobe.get(`${PATH}/1`)).json).toMatchObject({ report: { code: 'NAMESPACE_NOT_FOUND' } });
  });

  it('belong to a sandbox', async () => {
    const adobe = await namespaces();
    await adobe.post(PATH, LOYALTY);
    const other = await platformClient(adobe.simulator, { sandbox: 'prod' });
    expect((await other.get(PATH)).text).not.toContain('loyaltyId');
    expect((await other.post(PATH, LOYALTY)).status).toBe(200);
  });
});
