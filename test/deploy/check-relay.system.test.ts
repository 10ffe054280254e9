import { execFile } from 'node:child_process';
import { lookup } from 'node:dns/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { textOf } from './files.ts';

const SCRIPT = textOf('deploy/helm/capillary-aep-relay/files/check-relay.mjs');

/** Runs the script as the pod of `helm test` does. */
function check(urls: readonly string[], patienceMs: number): Promise<{ code: unknown; lines: string[] }> {
  const args = ['--input-type=module', '--eval', SCRIPT, ...urls];
  const env = { ...process.env, PATIENCE_MS: String(patienceMs) };
  return new Promise((resolve) => {
    execFile(process.execPath, args, { env }, (error, stdout) => {
      resolve({ code: error?.code ?? 0, lines: stdout.trim().split('\n') });
    });
  });
}

/** A server that answers with these codes in turn; the last one stays. @returns its URL */
async function serve(...codes: number[]): Promise<string> {
  return `http://127.0.0.1:${await listen('127.0.0.1', 0, codes)}/readyz`;
}

/** @returns the port */
async function listen(address: string, port: number, codes: number[]): Promise<number> {
  const server = createServer((_request, response) => {
    const code = codes.length > 1 ? codes.shift() : codes[0];
    response.writeHead(code ?? 500).end('{"status":"…"}');
  });
  await new Promise<void>((resolve) => server.listen(port, address, resolve));
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

it('succeeds when every URL answers 2xx, also a relay that is still starting', async () => {
  const [ready, starting] = [await serve(200), await serve(503, 200)];
  expect(await check([ready, starting], 60_000)).toEqual({
    code: 0,
    lines: [ready, starting].map((url) => `ok     ${url} 200 {"status":"…"}`),
  });
});

it('fails and names each URL that does not', async () => {
  const [ready, full] = [await serve(200), await serve(503)];
  const ended = await check([full, 'http://127.0.0.1:1/', ready], 0);
  expect(ended.code).toBe(1);
  expect(ended.lines.map((line) => line.slice(0, 6).trim())).toEqual(['failed', 'failed', 'ok']);
  expect(ended.lines[0]).toBe(`failed ${full} 503 {"status":"…"}`);
});

it('asks every address of a host, as a headless Service has one for each pod', async () => {
  const found = await lookup('localhost', { all: true });
  let port = 0;
  for (const { address } of found)
    port = await listen(address, port, [address === found.at(-1)?.address ? 503 : 200]);
  const { code, lines } = await check([`http://localhost:${port}/readyz`], 0);
  expect(code).toBe(1);
  expect(lines.map((line) => line.slice(0, 6).trim())).toEqual([...found.slice(1).map(() => 'ok'), 'failed']);
});
