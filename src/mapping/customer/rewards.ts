import type { JsonObject } from '../../capillary/json.ts';
import type { MappingContext } from '../mapping-result.ts';
import type { FactGroups } from './facts.ts';
import {
  fieldsOf,
  type ItemGroup,
  itemsOf,
  type KeptItem,
  type Occurrence,
  shownItems,
  versionOf,
} from './kept-items.ts';
import type { Dated } from './program-standing.ts';

/** A coupon is named by its id; some events could have its code only. */
export const COUPONS: ItemGroup = { group: 'coupon', sharedField: 'code' };
/** A gift is named by its transaction; some events could have the id of the reward only. */
export const GIFTS: ItemGroup = { group: 'gift', sharedField: 'id' };
export const BADGES: ItemGroup = { group: 'badge' };

/** A list of items in the record. */
export interface ItemList extends ItemGroup {
  /** The standard list (docs/platforms/adobe.md#profile-loyalty). */
  readonly path: string;
  /** The list below the tenant. */
  readonly tenantList: string;
  readonly fields: readonly string[];
  /** Fields that only the list below the tenant has. */
  readonly tenantFields: readonly string[];
}

const LISTS: readonly ItemList[] = [
  {
    ...COUPONS,
    path: 'loyalty.rewards.coupons',
    tenantList: 'coupons',
    fields: ['id', 'name', 'series', 'discountValue', 'startDate', 'endDate'],
    tenantFields: ['code'],
  },
  {
    ...GIFTS,
    path: 'loyalty.rewards.giveaways',
    tenantList: 'rewards',
    fields: ['id', 'name', 'series', 'type', 'partnerId', 'partnerName', 'startDate', 'endDate'],
    tenantFields: ['transactionId', 'code', 'codeExpiryDate', 'issuedDate', 'fulfillmentStatus'],
  },
  {
    ...BADGES,
    path: 'loyalty.rewards.badges',
    tenantList: 'badges',
    fields: ['id', 'startDate'],
    tenantFields: ['issueId', 'earnedId'],
  },
];

/** What the lists of items depend on. */
export interface ItemContext {
  readonly destination: Pick<MappingContext['destination'], 'tenant' | 'schemaFeatures'>;
  /** Epoch ms: the newest time in the state of the customer. */
  readonly clock: number;
}

/** Sets an attribute of the record; undefined: it is not known. */
export type SetAttribute = (path: string, value: Dated | undefined) => void;

/** The rewards of a lane's customers: `loyalty.rewards`, and lists below the tenant. */
export function deriveRewards(
  customers: readonly FactGroups[],
  context: ItemContext,
  set: SetAttribute,
): void {
  for (const list of LISTS) {
    deriveItems(list, customers, { stateOf: rewardState }, context, set);
  }
}

/** How the items of a list are shown. */
export interface ItemView {
  stateOf(item: KeptItem): string;
  /** Fields that are computed from those of the facts. */
  moreFields?(item: KeptItem): JsonObject;
}

/**
 * The standard list has open and closed items. Without it the open ones are below the tenant, and
 * with it only those that have a field that the standard list lacks.
 */
export function deriveItems(
  list: ItemList,
  customers: readonly FactGroups[],
  view: ItemView,
  { destination: { tenant, schemaFeatures }, clock }: ItemContext,
  setAttribute: SetAttribute,
): void {
  if (!customers.some((groups) => groups.has(list.group))) {
    return;
  }
  const items = shownItems(itemsOf(customers, list, clock), clock);
  const standard = (item: KeptItem): JsonObject => ({
    ...fieldsOf(item.fields, list.fields),
    ...view.moreFields?.(item),
    state: view.stateOf(item),
  });
  const set = (path: string, shown: readonly KeptItem[], toItem: (item: KeptItem) => JsonObject): void => {
    const version = versionOf(shown);
    setAttribute(path, version && { value: shown.map((item) => toItem(item)), ...version });
  };
  const open = items.filter(({ isOpen }) => isOpen);
  const tenantPath = `${tenant}.capillary.${list.tenantList}`;
  if (schemaFeatures.loyalty2026) {
    set(list.path, items, standard);
  }
  if (tenant !== undefined && schemaFeatures.loyalty2026) {
    const special = open.filter(({ fields }) => list.tenantFields.some((name) => fields[name] !== undefined));
    set(tenantPath, special, ({ fields }) => fieldsOf(fields, ['id', ...list.tenantFields]));
  } else if (tenant !== undefined) {
    set(tenantPath, open, (item) => ({ ...standard(item), ...fieldsOf(item.fields, list.tenantFields) }));
  }
}

const REWARD_STATES: Readonly<Partial<Record<Occurrence, string>>> = {
  redeemed: 'redeemed',
  revoked: 'revoked',
};

function rewardState({ isExpired, decidedBy }: KeptItem): string {
  return isExpired ? 'expired' : ((decidedBy && REWARD_STATES[decidedBy]) ?? 'issued');
}
