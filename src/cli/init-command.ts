import { randomBytes } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { createInterface, type Interface } from 'node:readline/promises';
import { type Command, Option } from 'commander';
import { loadForProvision } from './command-config.ts';
import { CommandError, EXIT } from './command-error.ts';
import {
  configTemplate,
  SECRET_FILES,
  SECRETS_IN_ENVIRONMENT,
  secretsInFiles,
  type TrialAddresses,
} from './init/config-template.ts';
import { answersOf, type InitAnswers, type InitQuestion, QUESTIONS } from './init/init-answers.ts';
import { replaceFile } from './replace-file.ts';
import { shellWord } from './explain/relay-options.ts';

type Texts = Partial<Record<keyof InitAnswers, string>>;

interface InitOptions {
  readonly out: string;
  readonly secrets?: string;
  readonly simulator?: string;
  readonly force?: boolean;
  /** By the long name of the flag. */
  readonly [flag: string]: string | boolean | undefined;
}

const HELP = `
Asks for what no flag answers, if standard input is a terminal; else a missing answer is an error. The file has no
secrets: they come from the environment, or with --secrets from one file each, in a folder that only you can read. There,
the key of the webhook and the token of the admin API are created; the other files are written from the variables
IMS_CLIENT_SECRET, CAPILLARY_API_KEY and CAPILLARY_API_SECRET if they are set. A file of a secret that exists is kept.
With --simulator, which takes any secret, all of them are created.

Exit code: 0 the file is written; 1 stopped with Ctrl-C; 2 an answer is missing or wrong, or the file exists.

Examples:
  $ capillary-relay init
  $ capillary-relay init --name acme --org 1A2B3C4D5E6F7A8B0A495C12@AdobeOrg --sandbox dev --client-id 0a1b2c3d4e --cluster eu --url https://relay.example.com --secrets secrets
  $ capillary-relay init --name trial --simulator http://127.0.0.1:9090 --url http://127.0.0.1:8080 --secrets secrets`;

/** What a simulator accepts: any organisation and any credential. */
const TRIAL_ANSWERS: Texts = {
  imsOrgId: '1A2B3C4D5E6F7A8B0A495C12@AdobeOrg',
  sandbox: 'dev',
  clientId: 'trial-client',
};

function keyOfFlag(flag: string): string {
  return flag.slice(2).replaceAll(/-(\w)/g, (_, letter: string) => letter.toUpperCase());
}

function refusalOf({ refuse, isOptional = false }: InitQuestion, text: string): string | undefined {
  return text === '' && isOptional ? undefined : refuse(text);
}

function givenAnswers(options: InitOptions): Texts {
  const given: Texts = {};
  const refusals: string[] = [];
  for (const question of QUESTIONS) {
    const text = options[keyOfFlag(question.flag)];
    if (typeof text !== 'string') continue;
    const refusal = refusalOf(question, text);
    if (refusal !== undefined) refusals.push(`${question.flag} ${JSON.stringify(text)}: ${refusal}`);
    given[question.key] = text;
  }
  if (refusals.length > 0) throw new CommandError(refusals.join('\n'), EXIT.usage);
  return given;
}

async function ask(terminal: Interface, question: InitQuestion): Promise<string> {
  for (;;) {
    const shown = question.fallback ? ` [${question.fallback}]` : '';
    const text = (await terminal.question(`${question.question}${shown}: `)).trim();
    const answer = text === '' ? (question.fallback ?? '') : text;
    const refusal = refusalOf(question, answer);
    if (refusal === undefined) return answer;
    terminal.write(`${refusal}\n`);
  }
}

async function completeAnswers(given: Texts): Promise<InitAnswers> {
  const open = QUESTIONS.filter(({ key }) => given[key] === undefined);
  const texts = { ...given };
  if (process.stdin.isTTY && open.length > 0) {
    const terminal = createInterface({ input: process.stdin, output: process.stderr });
    try {
      for (const question of open) texts[question.key] = await ask(terminal, question);
    } catch (error) {
      if ((error as Error).name !== 'AbortError') throw error;
      throw new CommandError('\nstopped: no file was written', EXIT.failed);
    } finally {
      terminal.close();
    }
  } else {
    const missing = open.filter(({ fallback }) => fallback === undefined);
    if (missing.length > 0)
      throw new CommandError(
        [
          'these answers are missing, and standard input is not a terminal to ask in:',
          ...missing.map(({ flag, question }) => `  ${flag} <text>  ${question}`),
        ].join('\n'),
        EXIT.usage,
      );
    for (const { key, fallback } of open) texts[key] = fallback ?? '';
  }
  return answersOf(texts as Record<keyof InitAnswers, string>);
}

function newSecret(): string {
  return randomBytes(32).toString('hex');
}

/**
 * Writes the files of secrets that do not exist.
 * @param isTrial any secret will do: one is created for each
 * @returns the files without a secret
 */
async function writeSecrets(folder: string, isTrial: boolean): Promise<string[]> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await chmod(folder, 0o700);
  const given = (name: string): string | undefined =>
    process.env[name] || (isTrial ? newSecret() : undefined);
  const relayKey = newSecret();
  const values: Readonly<Record<keyof typeof SECRET_FILES, string | undefined>> = {
    imsClientSecret: given('IMS_CLIENT_SECRET'),
    apiKey: given('CAPILLARY_API_KEY'),
    apiSecret: given('CAPILLARY_API_SECRET'),
    relayKey,
    // An empty file would be refused; the same value twice is one.
    relayOldKey: relayKey,
    adminToken: newSecret(),
  };
  const hasKeys = existsSync(join(folder, SECRET_FILES.relayKey));
  const missing: string[] = [];
  for (const [key, name] of Object.entries(SECRET_FILES)) {
    const file = join(folder, name);
    const value = values[key as keyof typeof SECRET_FILES];
    if (existsSync(file) || (hasKeys && name === SECRET_FILES.relayOldKey)) continue;
    if (value === undefined) missing.push(file);
    else await writeFile(file, `${value}\n`, { mode: 0o600, flag: 'wx' });
  }
  return missing;
}

function secretSteps(options: InitOptions, missing: readonly string[]): string[] {
  if (options.secrets !== undefined)
    return missing.length === 0
      ? []
      : [
          'Write each secret into its file; so it gets neither into the history nor onto the screen:',
          ...missing.map((file) => `  (umask 077; read -rs secret; echo "$secret" > ${shellWord(file)})`),
        ];
  return [
    'Set the secrets in the environment of every command:',
    ...(options.simulator === undefined ? [] : ['  # a simulator takes any value for the first two lines']),
    '  export IMS_CLIENT_SECRET=…                          # from the Adobe Developer Console',
    '  export CAPILLARY_API_KEY=… CAPILLARY_API_SECRET=…   # of an API client in Capillary',
    '  export RELAY_KEY="$(openssl rand -hex 32)"          # header of the webhook: create it once, and keep it in your secret store',
    '  export RELAY_ADMIN_TOKEN="$(openssl rand -hex 32)"  # the same for the admin port; optional while it listens on loopback only',
  ];
}

function nextSteps(options: InitOptions, missing: readonly string[]): string {
  const config = `--config ${shellWord(options.out)}`;
  return [
    `${options.out} is written.`,
    '',
    ...secretSteps(options, missing),
    'Then:',
    `  capillary-relay provision apply ${config} --write  # schemas, datasets and dataflows at Adobe`,
    `  capillary-relay doctor ${config}                   # secrets, the way to both, clock, disk, ports`,
    `  capillary-relay serve ${config}                    # the relay`,
    `  capillary-relay register apply ${config}           # the webhook at Capillary`,
  ].join('\n');
}

function trialOf(simulator: string | undefined): TrialAddresses | undefined {
  if (simulator === undefined) return undefined;
  const url = simulator.replace(/\/+$/, '');
  return { imsUrl: `${url}/ims/token/v3`, platformUrl: url };
}

async function runInit(options: InitOptions): Promise<void> {
  if (existsSync(options.out) && options.force !== true)
    throw new CommandError(`${options.out} exists; pass --force to replace it, or --out`, EXIT.usage);
  const given = givenAnswers(options);
  const { simulator } = options;
  const trial = simulator === undefined ? {} : { ...TRIAL_ANSWERS, cluster: simulator };
  const answers = await completeAnswers({ ...trial, ...given });
  const folder = dirname(resolve(options.out));
  const { secrets } = options;
  const places = secrets === undefined ? SECRETS_IN_ENVIRONMENT : secretsInFiles(secrets);
  const missing =
    secrets === undefined
      ? []
      : await writeSecrets(isAbsolute(secrets) ? secrets : join(folder, secrets), simulator !== undefined);
  await mkdir(folder, { recursive: true });
  await replaceFile(options.out, configTemplate(answers, places, trialOf(simulator)), 0o644);
  // Its own checks say what is wrong with an answer that only the whole file shows.
  if (secrets !== undefined && missing.length === 0) await loadForProvision(options.out);
  console.log(nextSteps(options, missing));
}

export function registerInit(program: Command): void {
  const command = program
    .command('init')
    .description('write a configuration: asks for organisation, sandbox, client id, cluster and address')
    .option('-o, --out <file>', 'file to write', 'relay.yaml')
    .option('--secrets <folder>', 'keep secrets in files of this folder, below that of the file to write')
    .addOption(
      new Option(
        '--simulator <url>',
        'use a simulator (capillary-relay simulate) in the place of Adobe and Capillary',
      ),
    )
    .option('--force', 'replace the file if it exists');
  for (const { flag, question } of QUESTIONS) command.option(`${flag} <text>`, question);
  command.addHelpText('after', HELP).action(runInit);
}
