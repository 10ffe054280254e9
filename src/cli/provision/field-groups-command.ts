import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Command, InvalidArgumentError } from 'commander';
import type { RecordClass } from '../../xdm/standard-groups.ts';
import { tenantFieldGroups } from '../../xdm/tenant-field-groups.ts';
import { CommandError } from '../command-error.ts';
import { codeOf } from '../doctor/finding.ts';
import { replaceFile } from '../replace-file.ts';

/** Stands for the tenant id with its underscore in the request bodies of deploy/aep. */
export const TENANT_PLACEHOLDER = '_TENANT';

const FILES: Readonly<Record<RecordClass, string>> = {
  event: 'field-group-events.json',
  profile: 'field-group-profile.json',
};

/** The request bodies that create the tenant's field groups, by the name of their file. */
export function fieldGroupFiles(tenant: string): ReadonlyMap<string, string> {
  const bodies = tenantFieldGroups(tenant);
  const text = (record: RecordClass): string => `${JSON.stringify(bodies[record], undefined, 2)}\n`;
  return new Map([
    [FILES.event, text('event')],
    [FILES.profile, text('profile')],
  ]);
}

function parseTenant(text: string): string {
  if (/^_[A-Za-z0-9]+$/.test(text)) return text;
  throw new InvalidArgumentError('It must be the tenant id with its underscore, such as _acme.');
}

const HELP = `
The bodies of POST /data/foundation/schemaregistry/tenant/fieldgroups for the fields that the relay writes below the tenant.
provision apply makes these field groups itself; deploy/aep/README.md has the steps by hand. It needs no configuration and no network.
Without --out it prints one JSON object with the bodies as event and profile.

Examples:
  $ capillary-relay provision field-groups --tenant _acme
  $ capillary-relay provision field-groups --tenant _acme --out ./aep`;

interface FieldGroupOptions {
  readonly tenant: string;
  readonly out?: string;
}

async function runFieldGroups({ tenant, out }: FieldGroupOptions): Promise<void> {
  if (out === undefined) {
    console.log(JSON.stringify(tenantFieldGroups(tenant), undefined, 2));
    return;
  }
  try {
    await mkdir(out, { recursive: true });
  } catch (error) {
    throw new CommandError(`the folder ${out} cannot be made (${codeOf(error)})`);
  }
  for (const [name, text] of fieldGroupFiles(tenant)) {
    await replaceFile(join(out, name), text, 0o644);
    console.log(join(out, name));
  }
}

export function registerFieldGroups(provision: Command): void {
  provision
    .command('field-groups')
    .description('print or write the requests that create the field groups with the fields of the relay')
    .option('--tenant <id>', 'tenant id with its underscore, such as _acme', parseTenant, TENANT_PLACEHOLDER)
    .option('--out <folder>', 'write one file per field group into this folder')
    .addHelpText('after', HELP)
    .action(runFieldGroups);
}
