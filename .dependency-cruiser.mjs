/**
 * Which folder of `src` may import which: its own files, `version.ts` and the folders listed here.
 * Types count like values. `relay.ts`, `open-*.ts`, `main.ts`, `cli` and `monitoring` have rules
 * of their own.
 */
const MAY_IMPORT = {
  telemetry: [],
  config: ['telemetry'],
  http: ['telemetry', 'config', 'capillary'],
  capillary: [],
  'capillary/api': ['telemetry', 'config', 'http', 'capillary'],
  enrichment: ['telemetry', 'config', 'http', 'capillary', 'capillary/api'],
  sources: ['config', 'capillary', 'http'],
  xdm: ['capillary'],
  journal: ['telemetry', 'config', 'capillary'],
  intake: ['telemetry', 'config', 'http', 'capillary', 'sources', 'journal'],
  mapping: ['config', 'capillary', 'xdm'],
  adobe: ['telemetry', 'config', 'http', 'capillary'],
  delivery: ['telemetry', 'config', 'capillary', 'xdm', 'journal', 'mapping', 'adobe'],
  operations: ['telemetry', 'config', 'http', 'capillary', 'sources', 'journal', 'intake'],
  reconciliation: [
    ...['telemetry', 'config', 'http', 'capillary', 'capillary/api', 'sources', 'xdm', 'journal'],
    ...['intake', 'mapping', 'adobe', 'operations'],
  ],
  admin: [
    'telemetry',
    'config',
    'http',
    'capillary',
    'sources',
    'xdm',
    'journal',
    'mapping',
    'delivery',
    'operations',
    'enrichment',
    'reconciliation',
  ],
  monitoring: [
    ...['telemetry', 'config', 'http', 'capillary', 'sources', 'journal', 'intake'],
    ...['xdm', 'mapping', 'adobe', 'delivery', 'operations', 'admin', 'enrichment'],
    'reconciliation',
  ],
  simulator: ['telemetry', 'config', 'capillary', 'xdm'],
};

/** Folders inside others that have a line of their own. */
const INNER = Object.keys(MAY_IMPORT).filter((folder) => folder.includes('/'));

const layers = Object.entries(MAY_IMPORT).map(([folder, allowed]) => ({
  name: `layer-${folder}`,
  comment: `src/${folder} may import ${allowed.join(', ') || 'nothing of src'} (ARCHITECTURE.md, Folders)`,
  severity: 'error',
  from: {
    path: `^src/${folder}/`,
    pathNot: INNER.filter((inner) => inner !== folder).map((inner) => `^src/${inner}/`),
  },
  to: {
    path: '^src/',
    pathNot: `^src/(version\\.ts$|${[folder, ...allowed].map((name) => `${name}/`).join('|')})`,
  },
}));

export default {
  forbidden: [
    ...layers,
    {
      name: 'known-folder',
      comment: 'a new folder of src needs a line in MAY_IMPORT',
      severity: 'error',
      from: { path: '^src/[^/]+/', pathNot: `^src/(cli|${Object.keys(MAY_IMPORT).join('|')})/` },
      to: {},
    },
    {
      name: 'no-circle',
      comment: 'files that import each other cannot be read, tested or changed apart',
      severity: 'error',
      from: {},
      to: { circular: true },
    },
    {
      name: 'engine-is-private',
      comment:
        'nothing outside an engine names its types: open-store.ts opens it, the cli uses what works on a stopped store',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(journal/(sqlite|copy)/|open-store\\.ts$)' },
      to: { path: '^src/journal/sqlite/', pathNot: '^src/journal/sqlite/offline/' },
    },
    {
      name: 'postgres-is-private',
      comment: 'as engine-is-private; the cli uses what needs no replica',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(journal/(postgres|copy)/|open-store\\.ts$)' },
      to: { path: '^src/journal/postgres/', pathNot: '^src/journal/postgres/offline/' },
    },
    {
      name: 'offline-tools-are-for-the-cli',
      comment: 'they open the store without the storage thread, which a running relay must not do',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(journal/(sqlite|postgres|copy)|cli)/' },
      to: { path: '^src/journal/((sqlite|postgres)/offline|copy)/' },
    },
    {
      name: 'only-relay-monitors',
      comment: 'stages declare the observer they need; relay.ts connects it',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(monitoring/|relay\\.ts$)' },
      to: { path: '^src/monitoring/' },
    },
    {
      name: 'only-relay-wires',
      comment:
        'the concrete parts are known to the composition root; `check --connect` and `provision` use the real Adobe clients',
      severity: 'error',
      from: {
        path: '^src/',
        pathNot:
          '^src/(relay\\.ts$|open-(store|reconcilers)\\.ts$|cli/(connection-check|provision/(provision-target|verify/run-probe))\\.ts$)',
      },
      to: {
        path: [
          '^src/(intake/public-app|admin/admin-app|open-store|journal/(sqlite/sqlite|postgres/postgres)-journal)\\.ts$',
          '^src/adobe/(ims/token-source|inlet/inlet-client)\\.ts$',
        ],
      },
    },
    {
      name: 'nothing-imports-the-process',
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/(main\\.ts$|cli/)' },
      to: { path: '^src/(main\\.ts$|cli/)' },
    },
    {
      name: 'src-needs-no-test',
      severity: 'error',
      from: { path: '^src/' },
      to: { path: '^(test|bench)/' },
    },
  ],
  options: {
    // TypeScript 7 has no API for it; swc parses the sources, and type imports count.
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
    enhancedResolveOptions: {
      extensions: ['.ts'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node'],
    },
  },
};
