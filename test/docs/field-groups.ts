import { fieldGroupFiles, TENANT_PLACEHOLDER } from '../../src/cli/provision/field-groups-command.ts';

/** The output of `capillary-relay provision field-groups --out deploy/aep`, by path. */
export const FIELD_GROUPS: ReadonlyMap<string, string> = new Map(
  [...fieldGroupFiles(TENANT_PLACEHOLDER)].map(([name, text]) => [`deploy/aep/${name}`, text]),
);
