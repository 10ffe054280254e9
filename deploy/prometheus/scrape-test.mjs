// Starts the built relay, the simulator and Debian's prometheus on loopback, sends a few hundred
// events, and checks what Prometheus scraped. For .ci/run, after a build:
//   node deploy/prometheus/scrape-test.mjs
// Exits with 1 at the first mismatch. Takes under a minute, uses free ports and its own folder, and
// stops only the processes that it started.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parse, stringify } from 'yaml';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const MAIN = join(ROOT, 'dist/main.js');
const COUNT = 300;
/** For the whole test, in case a step hangs. */
const LIMIT_MS = 55_000;

const folder = mkdtempSync(join(tmpdir(), 'relay-scrape-'));
const children = [];
const yamlOf = (file) => parse(readFileSync(join(ROOT, file), 'utf8'), { merge: true });

const start = (program, args) => {
  const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
  const exited = new Promise((resolve) => {
    child.once('error', (error) => resolve(error.message));
    child.once('exit', (code) => resolve(code));
  });
  const one = { child, exited, errors: '' };
  child.stderr.on('data', (data) => (one.errors = (one.errors + data).slice(-2_000)));
  children.push(one);
  return one;
};

const relay = (...args) => start(process.execPath, ['--disable-warning=ExperimentalWarning', MAIN, ...args]);

/** The first JSON line of a process that matches; later lines are discarded. */
const firstLine = (one, matches) =>
  new Promise((resolve, reject) => {
    createInterface({ input: one.child.stdout }).on('line', (text) => {
      const line = JSON.parse(text);
      if (matches(line)) resolve(line);
    });
    void one.exited.then((code) => reject(new Error(`a process exited with ${code}: ${one.errors}`)));
  });

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

const startRelay = async () => {
  const simulator = await firstLine(
    relay('simulate', '--port', '0', '--json'),
    (line) => line.imsUrl !== undefined,
  );
  const config = yamlOf('deploy/compose/relay.yaml');
  config.server = { ...config.server, host: '127.0.0.1', port: 0 };
  config.admin = { host: '127.0.0.1', port: 0 };
  config.store = { ...config.store, path: join(folder, 'data'), minFree: '1MiB' };
  for (const source of config.sources) source.verify[0].values = ['key-of-the-scrape-test'];
  for (const destination of config.destinations) {
    destination.inletUrl = simulator.inletUrl;
    destination.ims = { ...destination.ims, url: simulator.imsUrl, clientSecrets: ['secret'] };
  }
  const file = join(folder, 'relay.yaml');
  writeFileSync(file, stringify(config));
  const serving = relay('serve', '--config', file);
  return { file, ...(await firstLine(serving, ({ msg }) => msg === 'ready')) };
};

const startPrometheus = async (adminUrl) => {
  const config = yamlOf('deploy/prometheus/prometheus.yml');
  config.global = { scrape_interval: '1s', evaluation_interval: '1s' };
  config.rule_files = config.rule_files.map((name) => join(ROOT, 'deploy/prometheus', name));
  config.scrape_configs[0].static_configs = [{ targets: [new URL(adminUrl).host] }];
  const file = join(folder, 'prometheus.yml');
  writeFileSync(file, stringify(config));
  const address = `127.0.0.1:${await freePort()}`;
  const running = start('prometheus', [
    `--config.file=${file}`,
    `--storage.tsdb.path=${join(folder, 'tsdb')}`,
    `--web.listen-address=${address}`,
    '--log.level=warn',
  ]);
  running.child.stdout.resume();
  const failed = running.exited.then((code) => {
    throw new Error(`prometheus exited with ${code}: ${running.errors}`);
  });
  failed.catch(() => undefined);
  const isReady = () =>
    fetch(`http://${address}/-/ready`).then(
      ({ ok }) => ok,
      () => false,
    );
  await Promise.race([until('Prometheus is ready', isReady), failed]);
  return `http://${address}/api/v1`;
};

const until = async (what, isTrue) => {
  for (const end = Date.now() + 25_000; Date.now() < end; await sleep(200)) if (await isTrue()) return;
  throw new Error(`timed out waiting until ${what}`);
};

const ask = async (url) => {
  const { status, data, error } = await (await fetch(url)).json();
  assert.equal(status, 'success', `${url}: ${error}`);
  return data;
};

const checkRules = async (api) => {
  const expected = yamlOf('deploy/prometheus/alerts.yaml').groups.flatMap(({ rules }) => rules);
  const { groups } = await ask(`${api}/rules`);
  const loaded = groups.flatMap(({ rules }) => rules);
  const namesOf = (rules, key) => rules.flatMap((rule) => rule[key] ?? []).toSorted();
  assert.deepEqual(
    loaded.map(({ name }) => name).toSorted(),
    [...namesOf(expected, 'alert'), ...namesOf(expected, 'record')].toSorted(),
  );
  for (const { name, health, lastError } of loaded)
    assert.deepEqual([name, health, lastError], [name, 'ok', undefined]);
  return loaded.length;
};

/** Prometheus accepts every query of the dashboard. */
const checkDashboard = async (query) => {
  const { panels } = JSON.parse(readFileSync(join(ROOT, 'deploy/grafana/relay.json'), 'utf8'));
  const expressions = panels.flatMap(({ targets = [] }) => targets.map(({ expr }) => expr));
  for (const expr of expressions)
    await query(expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$(source|destination)/g, '.*'));
  return expressions.length;
};

/** Labels have only the documented values: any other could be one of many that a sender creates. */
const checkLabels = async (api) => {
  const { createMetrics } = await import('../../src/monitoring/metrics.ts');
  const { labels } = createMetrics();
  const series = await ask(`${api}/series?match[]=${encodeURIComponent('{__name__=~"relay_.+"}')}`);
  assert.ok(series.length > labels.size, 'too few series were scraped');
  for (const { __name__: name, ...given } of series) {
    const known = labels.get(name) ?? labels.get(name.replace(/_(bucket|sum|count)$/, ''));
    assert.ok(known, `${name} is not a known metric`);
    for (const [label, values] of Object.entries(known)) {
      const isFixed = values.every((value) => !value.includes(' '));
      assert.ok(!isFixed || values.includes(given[label]), `${name} has ${label}="${given[label]}"`);
    }
  }
};

const run = async () => {
  const { file, intakeUrl, adminUrl } = await startRelay();
  const api = await startPrometheus(adminUrl);
  const query = async (expr) => (await ask(`${api}/query?query=${encodeURIComponent(expr)}`)).result;
  const sum = async (expr) => Number((await query(`sum(${expr})`))[0]?.value[1] ?? 0);

  const webhook = `${intakeUrl}/webhooks/acme`;
  const load = ['--count', String(COUNT), '--duplicates', '0.1', '--seed', '7'];
  const sending = relay('send', '--config', file, '--url', webhook, ...load, '--json');
  sending.child.stdout.resume();
  assert.equal(await sending.exited, 0, sending.errors);
  const unverified = await fetch(webhook, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: '{}',
  });
  assert.equal(unverified.status, 401);

  // The gauges are read from the journal, which is slightly ahead of the counters.
  const settled = [
    'relay_events{state=~"delivered|ignored|dead"}',
    '{__name__=~"relay_(delivered|ignored|dead)_total"}',
  ];
  const sums = async () => [
    ...(await Promise.all(settled.map(sum))),
    await sum('relay_events{state="quarantined"}'),
  ];
  await until(
    'Prometheus has seen every event settled',
    async () => (await sums()).join() === `${COUNT},${COUNT},1`,
  );
  const ledger = Object.fromEntries(
    (await query('sum by (state) (relay_events)')).map(({ metric, value }) => [
      metric.state,
      Number(value[1]),
    ]),
  );
  const { accepted, pending, delivered, ignored, dead, quarantined } = ledger;
  assert.deepEqual({ accepted, pending, quarantined }, { accepted: COUNT, pending: 0, quarantined: 1 });
  assert.equal(accepted, delivered + ignored + dead);
  // The event counters agree with the gauges that are read from the journal.
  assert.equal(await sum('relay_accepted_total'), accepted);
  assert.equal(await sum('relay_received_total{outcome="accepted"}'), accepted);
  assert.equal(await sum('relay_delivered_total'), delivered);
  assert.equal(await sum('relay_ignored_total'), ignored);
  assert.equal(await sum('relay_dead_total'), dead);
  assert.equal(await sum('relay_received_total{outcome="not-verified"}'), 1);
  assert.ok((await sum('relay_received_total{outcome="duplicate"}')) > 0, 'no duplicate was seen');
  assert.equal(await sum('relay_end_to_end_seconds_count'), delivered);
  assert.ok((await sum('relay_journal_commit_seconds_count{kind="write"}')) > 0, 'no commit was seen');
  assert.equal(await sum('relay_ims_mints_total{outcome="ok"}'), 1);
  assert.equal(await sum('relay_destination_flowing'), 1);
  assert.equal(await sum('relay_troubles_total'), 0);

  const { activeTargets } = await ask(`${api}/targets`);
  assert.deepEqual(
    activeTargets.map(({ health, lastError }) => [health, lastError]),
    [['up', '']],
  );
  assert.equal(await sum('min_over_time(up{job="relay"}[5m])'), 1, 'a scrape failed');
  await until(
    'every rule was evaluated',
    async () => (await query('destination:relay_late:avg3d')).length > 0,
  );
  await checkLabels(api);
  const rules = await checkRules(api);
  const firing = await query('ALERTS{alertstate="firing", alertname!="RelayDeadLetters"}');
  assert.deepEqual(firing, []);
  const queries = await checkDashboard(query);
  console.log(
    `scraped: ${JSON.stringify(ledger)}; ${rules} rules and ${queries} queries of the dashboard work`,
  );
};

const limit = new AbortController();
const late = sleep(LIMIT_MS, undefined, { signal: limit.signal }).then(() => {
  throw new Error(`not done within ${LIMIT_MS} ms`);
});
late.catch(() => undefined);
try {
  await Promise.race([run(), late]);
} finally {
  limit.abort();
  for (const { child } of children) child.kill('SIGKILL');
  await Promise.all(children.map(({ exited }) => exited));
  rmSync(folder, { recursive: true, force: true });
}
