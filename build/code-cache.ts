import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { get } from 'node:http';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { loadBundle, packByteCode } from './load-bundle.ts';

/*
 * Writes the byte code of the bundle: `node build/code-cache.ts <bundle> <file>`. V8 compiles a
 * function when it is called, so a relay is started first: the byte code then has what a start
 * runs. V8 accepts it with other flags for the heap, but not with those that change its code.
 */

const POLL_INTERVAL_MS = 10;

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

function dataflow(name: string) {
  return {
    schemaId: `https://ns.adobe.com/build/schemas/${name}`,
    datasetId: name,
    flowId: `${name}-flow`,
  };
}

/** Every kind of section, so that the code that reads it runs. Nothing is sent anywhere. */
function configText(folder: string, intakePort: number, adminPort: number): string {
  return JSON.stringify({
    server: { host: '127.0.0.1', port: intakePort },
    admin: { host: '127.0.0.1', port: adminPort, token: 'token-of-the-build' },
    store: { path: join(folder, 'data'), minFree: '1MiB' },
    sources: [
      {
        name: 'build',
        destination: 'build',
        orgIds: [1],
        timezone: 'Asia/Kolkata',
        country: 'IN',
        verify: [{ type: 'header', name: 'X-Relay-Key', values: ['key-of-the-build'] }],
      },
    ],
    destinations: [
      {
        name: 'build',
        imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
        sandbox: 'prod',
        inletUrl: 'https://localhost/collection/build',
        ims: { url: 'https://localhost', clientId: 'build', clientSecrets: ['secret-of-the-build'] },
        events: dataflow('events'),
        profile: dataflow('profile'),
        tenant: '_build',
      },
    ],
  });
}

function isReady(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    get({ host: '127.0.0.1', port, path: '/readyz' }, (response) => {
      response.resume();
      resolve(response.statusCode === 200);
    }).once('error', () => resolve(false));
  });
}

const [, , bundleFile = '', byteCodeFile = ''] = process.argv;
const folder = mkdtempSync(join(tmpdir(), 'relay-build-'));
process.once('exit', () => rmSync(folder, { recursive: true, force: true }));
const [intakePort, adminPort] = [await freePort(), await freePort()];
// YAML contains JSON.
const config = join(folder, 'relay.yaml');
writeFileSync(config, configText(folder, intakePort, adminPort));
const { script, source, bundle } = loadBundle(bundleFile, byteCodeFile);
void bundle.run(['serve', '--config', config]);
while (!(await isReady(adminPort))) await sleep(POLL_INTERVAL_MS);
// `serve` has changed it; byte code is accepted by a process with the same flags only.
setFlagsFromString('--heap-growing-percent=0');
writeFileSync(byteCodeFile, packByteCode(source, script.createCachedData()));
process.kill(process.pid, 'SIGTERM');
