import { existsSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { loadCommandConfig } from '../../src/cli/command-config.ts';
import { createProgram } from '../../src/cli/program.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { pathOf, textOf, treeOf } from './files.ts';

interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment?: Readonly<Record<string, string>>;
  readonly ports: readonly string[];
  readonly volumes?: readonly string[];
  readonly depends_on?: Readonly<Record<string, { condition: string }>>;
  readonly healthcheck?: object;
}

const FILES = ['docker-compose.yml', 'docker-compose.replicas.yml'];

/** The services of a file; of one that extends another, the whole. */
function servicesOf(file: string): Record<string, Service> {
  const services: Record<string, Service & { extends?: { file: string; service: string } }> =
    treeOf(file).services;
  return Object.fromEntries(
    Object.entries(services).map(([name, { extends: base, ...own }]) => [
      name,
      { ...(base && servicesOf(base.file)[base.service]), ...own },
    ]),
  );
}

const services = servicesOf('docker-compose.yml');
const replicated = servicesOf('docker-compose.replicas.yml');
const { config } = await loadCommandConfig(pathOf('deploy/compose/relay.yaml'), {});

describe('docker-compose.yml', () => {
  it('has the relay, the simulator, Prometheus and Grafana', () => {
    expect(Object.keys(services)).toEqual(['relay', 'simulator', 'prometheus', 'grafana']);
  });
});

describe.each(FILES)('%s', (file) => {
  const all = servicesOf(file);

  it.each(Object.entries(all))('%s has the least privileges it needs', (_name, service) => {
    expect(service).toMatchObject({
      read_only: true,
      tmpfs: expect.arrayContaining(['/tmp']),
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
    });
    expect(service.image).toMatch(/:(local|v?\d+\.\d+\.\d+(-alpine)?|\d+\.\d+-alpine)$/);
    // Only on loopback, because the secrets in the file are public.
    for (const port of service.ports) expect(port).toMatch(/^127\.0\.0\.1:\d+:\d+$/);
    // The relay's image has its own health check.
    expect(service.build ?? service.healthcheck).toBeDefined();
  });

  it('mounts files that exist, read-only, and named volumes that are declared', () => {
    const volumes = Object.values(all).flatMap((service) => service.volumes ?? []);
    const [files, named] = [true, false].map((isFile) =>
      volumes.filter((volume) => volume.startsWith('./') === isFile),
    );
    for (const volume of files ?? []) {
      const [path = '', , mode] = volume.split(':');
      expect({ path, exists: existsSync(pathOf(path)), mode }).toEqual({ path, exists: true, mode: 'ro' });
    }
    expect(named?.map((volume) => volume.split(':')[0])).toEqual(Object.keys(treeOf(file).volumes));
  });

  it('starts each service after those it depends on', () => {
    for (const { depends_on } of Object.values(all)) {
      for (const [name, { condition }] of Object.entries(depends_on ?? {})) {
        expect(all).toHaveProperty(name);
        expect(condition).toBe('service_healthy');
      }
    }
  });

  it('has a default for every variable, so that it starts without an environment', () => {
    const values = Object.values(all).flatMap((service) => Object.values(service.environment ?? {}));
    for (const value of values) expect(value).not.toMatch(/\$\{\w+\}/);
  });
});

describe('the relay of docker-compose.yml', () => {
  it('listens on the published ports and stores its data in the volume', () => {
    expect(services['relay']?.ports.map((port) => Number(port.split(':').at(-1)))).toEqual([
      config.server.port,
      config.admin.port,
    ]);
    expect(services['relay']?.volumes).toContain(`relay-data:${config.store.path}`);
    expect(services['relay']?.volumes).toContain('./deploy/compose/relay.yaml:/etc/relay/relay.yaml:ro');
  });

  it('reads its secrets from the environment, the same as the commands in the container', async () => {
    const { RELAY_KEY, RELAY_ADMIN_TOKEN } = services['relay']?.environment ?? {};
    expect(RELAY_KEY).toBe('${RELAY_KEY:-local-example-relay-key}');
    expect(RELAY_ADMIN_TOKEN).toBe(`\${RELAY_ADMIN_TOKEN:-${config.admin.token}}`);
    const env = { RELAY_KEY: 'k', RELAY_ADMIN_TOKEN: 't' };
    const loaded = await loadCommandConfig(pathOf('deploy/compose/relay.yaml'), env);
    expect(loaded.config.admin.token).toBe('t');
    expect(loaded.config.sources[0]?.verify[0]).toMatchObject({ values: ['k'] });
  });

  it('sends to the simulator, which runs a valid command', async () => {
    const { command = [], environment, ports } = services['simulator'] ?? {};
    const [name, ...options] = command;
    const program = await createProgram([name ?? '']);
    const simulate = program.commands[0];
    expect(simulate?.name()).toBe('simulate');
    expect(simulate?.parseOptions(options).unknown).toEqual([]);
    expect(simulate?.opts()).toMatchObject({ host: '0.0.0.0', port: 9090 });

    const simulator = await startSimulator();
    const { pathname } = new URL(simulator.inletUrl());
    await simulator.close();
    const [destination] = config.destinations;
    expect(destination?.inletUrl).toBe(`http://simulator:9090${pathname}`);
    expect(destination?.ims?.url).toBe('http://simulator:9090/ims/token/v3');
    expect(ports).toEqual(['127.0.0.1:9090:9090']);
    expect(environment?.['RELAY_HEALTH_URL']).toBe('http://127.0.0.1:9090/_sim/stats');
  });
});

describe('Prometheus and Grafana of docker-compose.yml', () => {
  it('scrape the relay and query Prometheus', () => {
    const [job] = treeOf('deploy/prometheus/prometheus.yml').scrape_configs;
    expect(job.static_configs[0].targets).toEqual([`relay:${config.admin.port}`]);
    const [source] = treeOf('deploy/grafana/provisioning/datasources/prometheus.yml').datasources;
    expect(source).toMatchObject({ uid: 'prometheus', url: 'http://prometheus:9090' });
  });

  it('have their files mounted where they read them', () => {
    const mounts = (name: string) => services[name]?.volumes?.map((volume) => volume.split(':')[1]) ?? [];
    const { rule_files: rules } = treeOf('deploy/prometheus/prometheus.yml');
    expect(mounts('prometheus')).toEqual(
      expect.arrayContaining(rules.map((file: string) => `/etc/prometheus/${file}`)),
    );
    const [provider] = treeOf('deploy/grafana/provisioning/dashboards/relay.yml').providers;
    const home = services['grafana']?.environment?.['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH'];
    expect(mounts('grafana')).toContain(home);
    expect(home?.startsWith(`${provider.options.path}/`)).toBe(true);
  });
});

describe('docker-compose.replicas.yml', async () => {
  const RELAYS = ['relay-1', 'relay-2', 'relay-3'];
  const { config: replica } = await loadCommandConfig(pathOf('deploy/compose/relay.replicas.yaml'), {});

  it('has a database, three relays, a balancer, the simulator, Prometheus and Grafana', () => {
    const names = ['db', ...RELAYS, 'balancer', 'simulator', 'prometheus', 'grafana'];
    expect(Object.keys(replicated)).toEqual(names);
  });

  it('runs three equal relays, without a volume', () => {
    const [first, ...others] = RELAYS.map((name) => {
      const { ports: _, ...service } = replicated[name] as Service;
      return service;
    });
    for (const other of others) expect(other).toEqual(first);
    expect(first?.volumes).toEqual(['./deploy/compose/relay.replicas.yaml:/etc/relay/relay.yaml:ro']);
    const admin = RELAYS.map((name) => Number(replicated[name]?.ports[0]?.split(':').at(-1)));
    expect(new Set(admin)).toEqual(new Set([replica.admin.port]));
  });

  it('configures them as the single relay, but for the store', () => {
    expect({ ...replica, store: undefined }).toEqual({ ...config, store: undefined });
    const {
      POSTGRES_USER: user,
      POSTGRES_DB: database,
      POSTGRES_PASSWORD: password,
    } = replicated['db']?.environment ?? {};
    expect(password).toBe('${DB_PASSWORD:-local-database-password}');
    expect(replica.store).toMatchObject({
      engine: 'postgres',
      url: `postgres://${user}:local-database-password@db:5432/${database}?sslmode=disable`,
    });
    expect(replicated['relay-1']?.environment?.['DB_PASSWORD']).toBe(password);
  });

  it('balances over all of them, with a check of readiness, and tries another one', () => {
    const balancer = textOf('deploy/compose/haproxy.cfg');
    const servers = [...balancer.matchAll(/^ {2}server (\S+) (\S+)$/gm)].map(([, ...server]) => server);
    expect(servers).toEqual(RELAYS.map((name) => [name, `${name}:${replica.server.port}`]));
    expect(balancer).toContain('uri /readyz ');
    expect(balancer).toContain(`check port ${replica.admin.port} `);
    expect(balancer).toMatch(/^ {2}retry-on .*\bconn-failure\b.*\bempty-response\b.*\b503\b/m);
    expect(balancer).toContain(`bind :${replicated['balancer']?.ports[0]?.split(':').at(-1)}`);
    expect(Object.keys(replicated['balancer']?.depends_on ?? {})).toEqual(RELAYS);
  });

  it('scrapes each of them, with the same rules', () => {
    const [own, single] = ['deploy/compose/prometheus.replicas.yml', 'deploy/prometheus/prometheus.yml'].map(
      treeOf,
    );
    expect(own.scrape_configs).toEqual([
      {
        job_name: 'relay',
        static_configs: [{ targets: RELAYS.map((name) => `${name}:${replica.admin.port}`) }],
      },
    ]);
    expect({ ...own, scrape_configs: [] }).toEqual({ ...single, scrape_configs: [] });
  });
});
