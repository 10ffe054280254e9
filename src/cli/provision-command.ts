import type { Command } from 'commander';
import { registerFieldGroups } from './provision/field-groups-command.ts';
import { registerProvisionApply } from './provision/provision-apply.ts';
import { registerProvisionPlan } from './provision/provision-plan.ts';
import { registerVerify } from './provision/verify-command.ts';

const HELP = `
Namespaces, field groups, schemas, datasets, connection and dataflows of a destination. An id that the configuration has
is used; what is missing is made. Nothing is ever deleted, and only what this command has made is changed.

Examples:
  $ capillary-relay provision plan --config relay.yaml
  $ capillary-relay provision apply --config relay.yaml --write`;

export function registerProvision(program: Command): void {
  const group = program
    .command('provision')
    .description('set up a sandbox of Adobe Experience Platform for the destinations')
    .addHelpText('after', HELP);
  registerProvisionPlan(group);
  registerProvisionApply(group);
  registerVerify(group);
  registerFieldGroups(group);
}
