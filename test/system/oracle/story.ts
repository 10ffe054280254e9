import { assembleProfile } from '../../../src/mapping/profile.ts';
import { mappedAs, type Obligation, plain, type Terms } from './obligations.ts';

/** What one customer's events must have led to. */
export interface Story {
  /** Those whose messages must have landed, in order. */
  readonly events: Obligation[];
  /** Those that Adobe was sent and refused for good. */
  readonly dead: Obligation[];
  readonly profiles: Obligation[];
  /** Every record on the way. */
  readonly records: Record<string, unknown>[];
  /** Customers that were merged into this one. */
  readonly folded: string[];
  last?: {
    readonly by: Obligation;
    readonly entity: Record<string, unknown>;
    /** Attributes of another customer may be in it too: of which of their events, only the relay knows. */
    readonly isFolded: boolean;
  };
}

/** Goes through the events of one lane as the relay must have. */
export const storyOf = async (
  lane: string | undefined,
  events: readonly Obligation[],
  terms: Terms,
): Promise<Story> => {
  const story: Story = { events: [], dead: [], profiles: [], records: [], folded: [] };
  let state: string | undefined;
  let isFolded = false;
  for (const by of events) {
    const mapped = await mappedAs(by, terms);
    if (by.isPoison) {
      // Of what is ignored nothing is sent, so nothing is refused.
      if (mapped.outcome === 'messages') story.dead.push(by);
      continue;
    }
    if (mapped.outcome === 'messages') story.events.push(by);
    if (mapped.outcome === 'messages' && mapped.profile !== undefined && lane !== undefined) {
      const { foldFrom } = mapped.profile;
      if (foldFrom !== undefined) story.folded.push(foldFrom);
      isFolded ||= foldFrom !== undefined;
      const context = { id: mapped.id, destination: terms.destination };
      const assembled = assembleProfile(state, mapped.profile, undefined, context);
      state = assembled.state;
      story.profiles.push(by);
      story.last = { by, entity: plain(assembled.entity), isFolded };
      story.records.push(story.last.entity);
    }
    if (mapped.erase) {
      state = undefined;
      isFolded = false;
    }
  }
  return story;
};
