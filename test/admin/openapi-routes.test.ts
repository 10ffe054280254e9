import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { type AdminRig, startAdminRig } from './admin-rig.ts';

const file = readFileSync(new URL('../../openapi.yaml', import.meta.url), 'utf8');

let rig: AdminRig;
beforeAll(async () => {
  rig = await startAdminRig();
  rig.state.token = 'secret';
});
afterAll(() => rig.close());

describe('openapi.yaml on the admin port, without a token', () => {
  it('is served unchanged', async () => {
    const { status, headers, body } = await rig.get('/openapi.yaml');
    expect(status).toBe(200);
    expect(headers.get('content-type')).toBe('text/yaml; charset=utf-8');
    expect(body).toBe(file);
  });

  it('is also available as JSON', async () => {
    expect((await rig.get('/openapi.json')).body).toEqual(parse(file));
  });
});

describe('the documentation page', () => {
  /** Absolute URLs that a page or style sheet loads. */
  const loaded = (text: string, base: string): URL[] =>
    [...text.matchAll(/(?:src|href)="([^"]+)"|url\(["']?([^"')]+)["']?\)/g)].map(
      ([, attribute, inStyle]) => new URL(attribute ?? inStyle ?? '', base),
    );

  it.each(['/docs', '/docs/', '/docs/?x=1'])('%s loads existing files of this port only', async (path) => {
    const { status, headers, body } = await rig.get(path);
    expect(status).toBe(200);
    expect(headers.get('content-type')).toContain('text/html');
    const parts = loaded(body, `http://relay${path}`);
    expect(parts.length).toBeGreaterThan(5);
    const inStyles: URL[] = [];
    for (const { host, pathname } of parts) {
      expect(host).toBe('relay');
      const part = await rig.get(pathname);
      expect(part.status).toBe(200);
      inStyles.push(...(pathname.endsWith('.css') ? loaded(part.body, `http://relay${pathname}`) : []));
    }
    expect(inStyles.length).toBeGreaterThan(0);
    expect(inStyles.filter(({ protocol }) => protocol !== 'data:')).toEqual([]);
  });

  it('may run only its own scripts and connect only to its own port', async () => {
    const { headers, body } = await rig.get('/docs/');
    const policy = headers.get('content-security-policy');
    expect(policy).toBe(
      "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none';",
    );
    // The policy stops scripts and styles inside the page, so there must be none.
    expect(body).not.toMatch(/<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=/);
  });

  it('shows the API with this port as the server, and can send the token', async () => {
    const { body } = await rig.get('/docs/json');
    expect(body.servers).toEqual([{ url: '/', description: 'Admin port' }]);
    expect(body.components.securitySchemes.adminToken).toMatchObject({ type: 'http', scheme: 'bearer' });
    expect(body.paths).toEqual(parse(file).paths);
    const { body: script } = await rig.get('/docs/static/swagger-initializer.js');
    expect(script).toContain("url: resolveUrl('./json')");
  });

  it('does not change the policy of other answers or the protection of the admin API', async () => {
    for (const path of ['/openapi.json', '/livez', '/admin/v1/ledger'])
      expect((await rig.get(path)).headers.get('content-security-policy')).toBe(
        "default-src 'none';frame-ancestors 'none'",
      );
    expect((await rig.get('/admin/v1/ledger')).status).toBe(401);
  });

  it('serves only its own files', async () => {
    for (const path of [
      '/docs/static/../../package.json',
      '/docs/static/..%2f..%2fpackage.json',
      '/docs/openapi.yaml',
    ]) {
      const answer = await rig.admin.inject({ url: path });
      expect([400, 403, 404]).toContain(answer.statusCode);
      expect(answer.headers['content-type']).toContain('application/problem+json');
    }
  });
});
