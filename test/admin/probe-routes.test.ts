import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
});
afterAll(() => rig.close());

describe('health', () => {
  it('answers 200 while all checks pass', async () => {
    expect(await rig.get('/livez')).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: [{ name: 'loop', ok: true }] },
    });
    expect(await rig.get('/readyz')).toMatchObject({
      status: 200,
      body: { status: 'ok', checks: [{ name: 'store', ok: true }] },
    });
  });

  it('answers 503 and names the check that fails', async () => {
    const checks = [
      { name: 'store', ok: true },
      { name: 'disk', ok: false, detail: 'under store.minFree' },
    ];
    rig.state.live = checks;
    rig.state.ready = async () => checks;
    const failing = { status: 503, body: { status: 'failing', checks } };
    expect(await rig.get('/livez')).toMatchObject(failing);
    expect(await rig.get('/readyz')).toMatchObject(failing);
  });

  it('is not ready if the check fails, without publishing the reason', async () => {
    rig.state.ready = () => Promise.reject(new Error('secret path'));
    const { status, body } = await rig.get('/readyz');
    expect(status).toBe(503);
    expect(body.checks).toEqual([{ name: 'readiness', ok: false, detail: 'could not be determined' }]);
  });
});

describe('metrics', () => {
  it('are refreshed and served in the Prometheus format', async () => {
    rig.state.refresh = async () => rig.metrics.pending.set({ destination: 'acme-aep' }, 7);
    const { headers, body } = await rig.get('/metrics');
    expect(headers.get('content-type')).toBe(rig.metrics.registry.contentType);
    expect(body).toContain('relay_pending{destination="acme-aep"} 7');
  });

  it('are served while the store fails', async () => {
    rig.state.refresh = () => Promise.reject(new Error('disk'));
    expect((await rig.get('/metrics')).body).toContain('relay_pending{destination="acme-aep"} 7');
    expect(rig.observed.errors).toContain('the gauges could not be refreshed');
  });

  it('are served within the scrape timeout while the store does not answer', async () => {
    rig.state.refresh = () => new Promise(() => undefined);
    expect((await rig.get('/metrics')).body).toContain('relay_pending{destination="acme-aep"} 7');
    expect(rig.observed.errors.filter((message) => message.includes('refreshed'))).toHaveLength(2);
  });
});
